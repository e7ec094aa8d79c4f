#include "runtime/api/objects.h"

#include "loader/lora.h"
#include "loader/synthetic_source.h"

#include <fmt/format.h>

using namespace ff;

namespace {

ff_checkpoint described(std::shared_ptr<const loader::TensorSource> source) {
    Result<loader::ModelDescription> description = loader::describe(*source);
    std::string version, tokenizer;
    if (description.ok()) {
        version = loader::label_of(description->version);
        tokenizer = loader::brings_vocabulary(*source) ? "file" : api::tokenizer_for(description->vocabulary);
    }
    return {std::move(source), std::move(description), std::move(version), std::move(tokenizer)};
}

} // namespace

std::string ff::api::tokenizer_for(std::uint32_t vocabulary) {
    switch (vocabulary) {
    case 256:
        return "bytes";
    case 65536:
        return "world";
    case 50277: // RWKV-4 Pile and Raven
    case 50304: // RWKV-7 Pile
        return "20b";
    default:
        return "";
    }
}

ff_model_info ff::api::model_info(const loader::ModelDescription &d) {
    ff_model_info info{};
    info.struct_size = sizeof info;
    info.version = "";
    info.layers = d.layers;
    info.width = d.width;
    info.attention_width = d.attention_width;
    info.heads = d.heads;
    info.head_size = d.head_size;
    info.ffn_width = d.ffn_width;
    info.vocabulary = d.vocabulary;
    info.rank_w = d.rank_w;
    info.rank_a = d.rank_a;
    info.rank_v = d.rank_v;
    info.rank_g = d.rank_g;
    info.rank_mix = d.rank_mix;
    info.parameters = d.parameters;
    info.bytes = d.bytes;
    info.container = "";
    info.tokenizer = "";
    info.runnable = d.attention_width == d.width;
    return info;
}

ff_status ff_checkpoint_open(ff_checkpoint **out, const char *path, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !path) return api::null_argument(out ? "path" : "out");
        FF_TRY_ASSIGN(std::unique_ptr<loader::TensorSource> source, loader::open_tensor_source(path));
        *out = new ff_checkpoint(described(std::move(source)));
        return {};
    });
}

ff_status ff_checkpoint_open_memory(ff_checkpoint **out, const char *name, const void *bytes, size_t size,
                                    ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !name || !bytes) return api::null_argument(!out ? "out" : !name ? "name" : "bytes");
        FF_TRY_ASSIGN(std::unique_ptr<loader::TensorSource> source,
                      loader::open_tensor_source(name, std::span(static_cast<const std::byte *>(bytes), size)));
        *out = new ff_checkpoint(described(std::move(source)));
        return {};
    });
}

ff_status ff_checkpoint_synthetic(ff_checkpoint **out, const char *name, const char *weights, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !name) return api::null_argument(out ? "preset" : "out");
        FF_TRY_ASSIGN(const loader::Preset preset, loader::preset_named(name));
        FF_TRY_ASSIGN(const loader::DType type, api::weight_type_named(weights ? weights : "f16"));
        FF_TRY_ASSIGN(std::unique_ptr<loader::TensorSource> source, loader::synthetic_source(preset, type));
        *out = new ff_checkpoint(described(std::move(source)));
        return {};
    });
}

int ff_model_preset(size_t index, const char **name) {
    if (index >= loader::presets().size()) return 0;
    *name = loader::presets()[index].name.data(); // literals: they end with a zero
    return 1;
}

void ff_checkpoint_close(ff_checkpoint *checkpoint) {
    delete checkpoint;
}

ff_status ff_checkpoint_info(const ff_checkpoint *checkpoint, ff_model_info *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!checkpoint || !out) return api::null_argument(checkpoint ? "out" : "checkpoint");
        if (!checkpoint->description.ok()) return checkpoint->description.error();
        ff_model_info info = api::model_info(*checkpoint->description);
        info.version = checkpoint->version.c_str();
        info.container = checkpoint->source->container().data(); // a literal: it ends with a zero
        info.tokenizer = checkpoint->tokenizer.c_str();
        api::to_caller(info, out);
        return {};
    });
}

ff_status ff_checkpoint_session_bytes(const ff_checkpoint *checkpoint, ff_session_bytes *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!checkpoint || !out) return api::null_argument(checkpoint ? "out" : "checkpoint");
        if (!checkpoint->description.ok()) return checkpoint->description.error();
        const engine::SessionBytes bytes = engine::session_bytes(*checkpoint->description);
        api::to_caller(ff_session_bytes{sizeof(ff_session_bytes), bytes.device, bytes.control, bytes.device,
                                        bytes.snapshot, bytes.file},
                       out);
        return {};
    });
}

size_t ff_checkpoint_tensor_count(const ff_checkpoint *checkpoint) {
    return checkpoint ? checkpoint->source->tensors().size() : 0;
}

ff_status ff_checkpoint_tensor(const ff_checkpoint *checkpoint, size_t index, ff_tensor_info *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!checkpoint || !out) return api::null_argument(checkpoint ? "out" : "checkpoint");
        const auto tensors = checkpoint->source->tensors();
        if (index >= tensors.size())
            return Error{Status::argument, fmt::format("tensor {} of {}", index, tensors.size())};
        const loader::TensorInfo &tensor = tensors[index];
        const ff_tensor_info info{sizeof(ff_tensor_info), tensor.name.c_str(), loader::name_of(tensor.dtype).data(),
                                  tensor.shape.data(),    tensor.shape.size(), tensor.bytes()};
        api::to_caller(info, out);
        return {};
    });
}

const char *ff_checkpoint_metadata(const ff_checkpoint *checkpoint, const char *key) {
    if (!checkpoint || !key) return nullptr;
    const auto found = checkpoint->source->metadata().find(key);
    return found == checkpoint->source->metadata().end() ? nullptr : found->second.c_str();
}

ff_status ff_checkpoint_merge_lora(ff_checkpoint *checkpoint, const char *path, const double *alpha, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!checkpoint || !path) return api::null_argument(checkpoint ? "path" : "checkpoint");
        FF_TRY_ASSIGN(std::unique_ptr<loader::TensorSource> adapter, loader::open_tensor_source(path));
        FF_TRY_ASSIGN(
            std::unique_ptr<loader::TensorSource> merged,
            loader::merge_lora(checkpoint->source, std::move(adapter), alpha ? std::optional(*alpha) : std::nullopt));
        ff_checkpoint changed = described(std::move(merged));
        if (checkpoint->description.ok() && !changed.description.ok()) return changed.description.error();
        // Shapes stay, so the strings do, which a caller may hold.
        checkpoint->source = std::move(changed.source);
        checkpoint->description = std::move(changed.description);
        return {};
    });
}
