// What the opaque handles of firefinch.h hold.
#pragma once

#include "loader/description.h"
#include "loader/tokenizer/tokenizer.h"
#include "runtime/api/guard.h"
#include "runtime/engine/batch.h"

struct ff_vulkan_device; // firefinch_vulkan.h

struct ff_checkpoint {
    std::shared_ptr<const ff::loader::TensorSource> source;
    ff::Result<ff::loader::ModelDescription> description; // the sentence why not, for files that only list
    std::string version, tokenizer;
};

struct ff_tokenizer {
    std::unique_ptr<ff::loader::Tokenizer> tokenizer;
    std::string name;
};

struct ff_engine {
    std::shared_ptr<ff::engine::Engine> engine;
    std::string traits;
    std::vector<std::pair<std::string, std::string>> denied; // variant, why
};

// A launch in the strings and arrays that ff_launch_info points to.
struct LaunchText {
    std::string kernel, variant;
    std::vector<std::string> names;
    std::vector<const char *> reads, writes;
};

struct ff_model {
    std::shared_ptr<ff::engine::Model> model;
    std::string version, container, tokenizer;
    std::vector<LaunchText> launches;
};

struct ff_session {
    std::shared_ptr<ff::engine::Session> session; // a batch may have it as well
    std::string text;                             // of polled tokens, up to a character's end
};

struct ff_batch {
    std::shared_ptr<ff::engine::Model> model;
    std::unique_ptr<ff::engine::Batch> batch;
};

struct ff_snapshot {
    ff::engine::Snapshot snapshot;
    ff::model::StateLayout layout;
    std::string fingerprint; // of the model it came from
};

struct ff_profile_report {
    std::vector<ff::engine::KernelCost> costs;
    std::vector<std::pair<std::string, std::string>> names; // kernel, variant
};

namespace ff::api {

// By their names; NULL and "as-stored" are nothing. Fail with argument, naming those that there are.
Result<loader::DType> weight_type_named(std::string_view name);
Result<std::optional<loader::DType>> weights_named(const char *name);

// Of a generation: options checked for null pointers, and results.
Result<engine::GenerateOptions> generate_options(const ff_generate_options &given);
ff_generate_result generate_result(const engine::GenerateResult &result);
ff_slice_progress slice_progress(const engine::SliceProgress &progress);

// What --tokenizer auto takes for a model of this vocabulary size; empty if nothing fits.
std::string tokenizer_for(std::uint32_t vocabulary);
// What a model tells of the checkpoint it came from.
struct ModelOrigin {
    std::string version, container, tokenizer;
};
ModelOrigin origin_of(const ff_checkpoint &checkpoint);
Result<engine::ModelOptions> model_options(const ff_engine &engine, const ff_model_options *given);
std::unique_ptr<ff_model> model_handle(std::shared_ptr<engine::Model> model, const ModelOrigin &origin);

Result<engine::HostVulkan> host_vulkan(const ff_vulkan_device &given);

ff_model_info model_info(const loader::ModelDescription &description);
ff_device_info device_info(const gpu::DeviceInfo &info, const std::string &traits);

} // namespace ff::api
