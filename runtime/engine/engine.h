// A device and what belongs to it alone: its pipelines and their cache.
#pragma once

#include "runtime/gpu/pipeline.h"
#include "runtime/kernels/kernel.h"

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

    // One pipeline for each launch. Shaders come from the shader directory where the options name one.
    Result<std::vector<const gpu::Pipeline *>> compile(std::span<const kernels::Launch> launches,
                                                       const ProgressFunction &progress);

  private:
    explicit Engine(const EngineOptions &options) : options_(options) {}
    Result<void> start();

    EngineOptions options_;
    std::shared_ptr<gpu::Instance> instance_;
    std::shared_ptr<gpu::Device> device_;
    std::unique_ptr<gpu::PipelineSet> pipelines_;
};

} // namespace ff::engine
