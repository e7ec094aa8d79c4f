#include "runtime/engine/engine.h"

#include "runtime/kernels/shader_source.h"

#include <fmt/format.h>

namespace ff::engine {

Result<std::shared_ptr<Engine>> Engine::create(const EngineOptions &options) {
    std::shared_ptr<Engine> engine(new Engine(options));
    FF_TRY_ASSIGN(engine->instance_, gpu::Instance::create({.validate = options.validate, .log = options.log}));
    FF_TRY_ASSIGN(const std::size_t index, engine->instance_->choose(options.device));
    FF_TRY_ASSIGN(engine->device_, gpu::Device::create(engine->instance_, index,
                                                       engine->device_options(engine->instance_->devices()[index])));
    FF_TRY(engine->start());
    return engine;
}

Result<std::shared_ptr<Engine>> Engine::create(const EngineOptions &options, const HostVulkan &host) {
    std::shared_ptr<Engine> engine(new Engine(options));
    FF_TRY_ASSIGN(engine->instance_, gpu::Instance::adopt(host.instance, options.log));
    gpu::DeviceOptions device_options;
    for (const gpu::DeviceInfo &device : engine->instance_->devices())
        if (device.handle == host.device.physical) device_options = engine->device_options(device);
    FF_TRY_ASSIGN(engine->device_, gpu::Device::adopt(engine->instance_, host.device, device_options));
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

gpu::DeviceOptions Engine::device_options(const gpu::DeviceInfo &device) {
    gpu::DeviceOptions made{.profile = options_.profile,
                            .memory_budget_bytes = options_.device_memory_bytes,
                            .mask = options_.mask,
                            .denied = options_.denied,
                            .tuned = options_.tuned,
                            .low_priority = options_.low_priority};
    deny_list_ = denied_here(device);
    for (const DeniedVariant &each : deny_list_.denied) made.denied.push_back(kernels::full_name(*each.variant));
    if (!options_.ignore_tuning) {
        const TunedValues kept =
            read_tuned_values(options_.cache_directory, gpu::cache_identity(*instance_, device), options_.log);
        made.tuned.insert(made.tuned.end(), kept.begin(), kept.end());
    }
    return made;
}

DenyList Engine::denied_here(const gpu::DeviceInfo &device) {
    if (options_.ignore_deny_list) return {};
    DenyList list =
        read_deny_list(options_.cache_directory, gpu::cache_identity(*instance_, device), options_.log);
    std::vector<DeniedVariant> all = std::exchange(list.denied, {});
    all.insert(all.end(), options_.found_wrong.begin(), options_.found_wrong.end());
    for (DeniedVariant &denied : all) {
        const Result<std::span<const std::uint32_t>> spirv = spirv_of(*denied.variant);
        if (!spirv.ok() || shader_hash(*spirv) != denied.shader) continue; // another shader than the one that was wrong
        if (options_.log)
            options_.log(LogLevel::warning, fmt::format("{} is not used on {}: firefinch doctor found it wrong ({})",
                                                        kernels::full_name(*denied.variant), device.name, denied.why));
        list.denied.push_back(std::move(denied));
    }
    return list;
}

Result<std::span<const std::uint32_t>> Engine::spirv_of(const kernels::Variant &variant) {
    if (options_.shader_directory.empty()) return variant.spirv;
    const std::lock_guard lock(reloaded_mutex_);
    auto found = reloaded_.find(&variant);
    if (found == reloaded_.end()) {
        FF_TRY_ASSIGN(std::vector<std::uint32_t> spirv, kernels::compile_shader(options_.shader_directory, variant));
        found = reloaded_.emplace(&variant, std::move(spirv)).first;
    }
    return std::span<const std::uint32_t>(found->second);
}

Result<std::vector<const gpu::Pipeline *>> Engine::compile(std::span<const kernels::Launch> launches,
                                                           const ProgressFunction &progress) {
    std::vector<gpu::PipelineDescription> descriptions;
    for (const kernels::Launch &launch : launches) {
        descriptions.push_back(kernels::pipeline_of(launch));
        FF_TRY_ASSIGN(descriptions.back().spirv, spirv_of(*launch.variant));
    }
    FF_TRY_ASSIGN(std::vector<const gpu::Pipeline *> pipelines, pipelines_->compile(descriptions, progress));
    const std::uint32_t compiled = pipelines_->statistics().compiled;
    if (!options_.cache_directory.empty() && saved_.exchange(compiled) != compiled) {
        const Result<void> saved = pipelines_->save_cache(); // a cache that cannot be kept costs time, not correctness
        if (!saved.ok() && options_.log) options_.log(LogLevel::warning, saved.error().message);
    }
    return pipelines;
}

} // namespace ff::engine
