// A device and what belongs to it alone: its pipelines and their cache, and which variants it must not use.
#pragma once

#include "runtime/engine/deny_list.h"
#include "runtime/engine/tuned_values.h"
#include "runtime/gpu/pipeline.h"
#include "runtime/kernels/kernel.h"

#include <atomic>
#include <map>
#include <mutex>

namespace ff::engine {

struct EngineOptions {
    std::string device; // selector, see gpu::Instance::choose
    std::string profile = "native";
    std::uint64_t device_memory_bytes = 0;
    std::string cache_directory, shader_directory;
    std::vector<std::byte> pipeline_cache; // see gpu::PipelineOptions::cache
    std::uint32_t compile_threads = 0;     // 0: one for each core
    bool validate = false, low_priority = false;
    LogFunction log;
    void (*mask)(gpu::DeviceTraits &traits) = nullptr; // for tests
    bool ignore_deny_list = false;
    std::vector<std::string> denied;        // variants that are denied besides
    std::vector<DeniedVariant> found_wrong; // as if they were on the deny list, which could not be written
    bool ignore_tuning = false;             // do not read the tuned values
    TunedValues tuned;                      // others besides
};

// The device of the program around us: all of it outlives the engine.
struct HostVulkan {
    gpu::HostInstance instance;
    gpu::HostDevice device;
};

class Engine {
  public:
    // On a device of its own, or on the host's; `device` and `validate` of the options are then the host's matter.
    static Result<std::shared_ptr<Engine>> create(const EngineOptions &options);
    static Result<std::shared_ptr<Engine>> create(const EngineOptions &options, const HostVulkan &host);

    const std::shared_ptr<gpu::Device> &device() const { return device_; }
    gpu::Instance &instance() const { return *instance_; }
    const EngineOptions &options() const { return options_; }
    gpu::PipelineSet &pipelines() const { return *pipelines_; }
    // Of the device; its variants are not chosen.
    const DenyList &deny_list() const { return deny_list_; }

    // One pipeline for each launch.
    Result<std::vector<const gpu::Pipeline *>> compile(std::span<const kernels::Launch> launches,
                                                       const ProgressFunction &progress);
    // What a variant's pipelines are made of: the embedded shader, or that of the shader directory, compiled at first use.
    Result<std::span<const std::uint32_t>> spirv_of(const kernels::Variant &variant);

  private:
    explicit Engine(const EngineOptions &options) : options_(options) {}
    Result<void> start();
    gpu::DeviceOptions device_options(const gpu::DeviceInfo &device); // reads the deny list and the tuned values
    // The deny list's entries that are of the shaders this engine uses.
    DenyList denied_here(const gpu::DeviceInfo &device);

    EngineOptions options_;
    std::shared_ptr<gpu::Instance> instance_;
    std::shared_ptr<gpu::Device> device_;
    std::unique_ptr<gpu::PipelineSet> pipelines_;
    std::atomic<std::uint32_t> saved_ = 0; // pipelines that were made when the cache was written last
    DenyList deny_list_;
    std::mutex reloaded_mutex_;
    std::map<const kernels::Variant *, std::vector<std::uint32_t>> reloaded_;
};

} // namespace ff::engine
