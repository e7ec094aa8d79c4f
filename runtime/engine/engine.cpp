#include "runtime/engine/engine.h"

#include "runtime/kernels/shader_source.h"

#include <map>

namespace ff::engine {

namespace {

gpu::DeviceOptions device_options(const EngineOptions &options) {
    return {.profile = options.profile,
            .memory_budget_bytes = options.device_memory_bytes,
            .mask = options.mask,
            .low_priority = options.low_priority};
}

} // namespace

Result<std::shared_ptr<Engine>> Engine::create(const EngineOptions &options) {
    std::shared_ptr<Engine> engine(new Engine(options));
    FF_TRY_ASSIGN(engine->instance_, gpu::Instance::create({.validate = options.validate, .log = options.log}));
    FF_TRY_ASSIGN(const std::size_t index, engine->instance_->choose(options.device));
    FF_TRY_ASSIGN(engine->device_, gpu::Device::create(engine->instance_, index, device_options(options)));
    FF_TRY(engine->start());
    return engine;
}

Result<std::shared_ptr<Engine>> Engine::create(const EngineOptions &options, const HostVulkan &host) {
    std::shared_ptr<Engine> engine(new Engine(options));
    FF_TRY_ASSIGN(engine->instance_, gpu::Instance::adopt(host.instance, options.log));
    FF_TRY_ASSIGN(engine->device_, gpu::Device::adopt(engine->instance_, host.device, device_options(options)));
    FF_TRY(engine->start());
    return engine;
}

Result<void> Engine::start() {
    FF_TRY_ASSIGN(pipelines_, gpu::PipelineSet::create(device_, {.cache_directory = options_.cache_directory,
                                                                 .cache = std::move(options_.pipeline_cache),
                                                                 .log = options_.log,
                                                                 .threads = options_.compile_threads}));
    return {};
}

Result<std::vector<const gpu::Pipeline *>> Engine::compile(std::span<const kernels::Launch> launches,
                                                           const ProgressFunction &progress) {
    std::map<const kernels::Variant *, std::vector<std::uint32_t>> reloaded;
    std::vector<gpu::PipelineDescription> descriptions;
    for (const kernels::Launch &launch : launches) {
        descriptions.push_back(kernels::pipeline_of(launch));
        if (options_.shader_directory.empty()) continue;
        auto found = reloaded.find(launch.variant);
        if (found == reloaded.end()) {
            FF_TRY_ASSIGN(std::vector<std::uint32_t> spirv,
                          kernels::compile_shader(options_.shader_directory, *launch.variant));
            found = reloaded.emplace(launch.variant, std::move(spirv)).first;
        }
        descriptions.back().spirv = found->second;
    }
    FF_TRY_ASSIGN(std::vector<const gpu::Pipeline *> pipelines, pipelines_->compile(descriptions, progress));
    if (!options_.cache_directory.empty()) {
        const Result<void> saved = pipelines_->save_cache(); // a cache that cannot be kept costs time, not correctness
        if (!saved.ok() && options_.log) options_.log(LogLevel::warning, saved.error().message);
    }
    return pipelines;
}

} // namespace ff::engine
