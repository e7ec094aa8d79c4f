#include "runtime/api/objects.h"

#include "runtime/doctor/first_test.h"
#include "runtime/engine/roofline.h"

using namespace ff;

ff_status ff_engine_create(ff_engine **out, const ff_engine_options *given, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out) return api::null_argument("out");
        ff_engine_options defaults{};
        const ff_engine_options options = api::from_caller(given, defaults);
        const auto text = [](const char *string) { return std::string(string ? string : ""); };
        engine::EngineOptions ours;
        ours.device = text(options.device);
        if (options.profile) ours.profile = options.profile;
        ours.device_memory_bytes = options.device_memory_bytes;
        ours.cache_directory = text(options.cache_directory);
        ours.shader_directory = text(options.shader_directory);
        ours.validate = options.validate != 0;
        ours.low_priority = options.low_priority != 0;
        ours.log = api::log_function(options.log, options.log_payload);
        ours.ignore_deny_list = options.ignore_deny_list != 0;
        ours.ignore_tuning = options.ignore_tuning != 0;
        ours.compile_threads = options.compile_threads;
        if (options.pipeline_cache_size && !options.pipeline_cache) return api::null_argument("pipeline_cache");
        const auto *cache = static_cast<const std::byte *>(options.pipeline_cache);
        ours.pipeline_cache.assign(cache, cache + options.pipeline_cache_size);
        std::shared_ptr<engine::Engine> engine;
        if (options.vulkan_device) {
            if (options.device || options.validate)
                return Error{Status::argument,
                             "ff_engine_options: `device` and `validate` are the program's own matter "
                             "where it brings a vulkan_device"};
            FF_TRY_ASSIGN(const engine::HostVulkan host, api::host_vulkan(*options.vulkan_device));
            FF_TRY_ASSIGN(engine, engine::Engine::create(ours, host));
        } else {
            FF_TRY_ASSIGN(engine, doctor::engine_with_first_test(ours, options.no_first_test == 0));
        }
        std::vector<std::pair<std::string, std::string>> denied;
        for (const engine::DeniedVariant &each : engine->deny_list().denied)
            denied.emplace_back(kernels::full_name(*each.variant), each.why);
        std::string traits = gpu::summary(engine->device()->traits());
        *out = new ff_engine{std::move(engine), std::move(traits), std::move(denied)};
        return {};
    });
}

void ff_engine_destroy(ff_engine *engine) {
    delete engine;
}

ff_status ff_engine_device(const ff_engine *engine, ff_device_info *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!engine || !out) return api::null_argument(engine ? "out" : "engine");
        api::to_caller(api::device_info(engine->engine->device()->info(), engine->traits), out);
        return {};
    });
}

ff_status ff_engine_pipeline_cache(const ff_engine *engine, void *data, size_t capacity, size_t *size,
                                   ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!engine || !size) return api::null_argument(engine ? "size" : "engine");
        FF_TRY_ASSIGN(const std::vector<std::byte> cache, engine->engine->pipelines().cache_data());
        if (data) std::copy_n(cache.begin(), std::min(capacity, cache.size()), static_cast<std::byte *>(data));
        *size = cache.size();
        return {};
    });
}

ff_status ff_engine_memory(const ff_engine *engine, ff_memory_info *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!engine || !out) return api::null_argument(engine ? "out" : "engine");
        const gpu::Device &device = *engine->engine->device();
        api::to_caller(ff_memory_info{sizeof(ff_memory_info), device.allocation_count(), device.allocated_bytes(),
                                      device.free_memory_bytes()},
                       out);
        return {};
    });
}

int ff_engine_denied(const ff_engine *engine, size_t index, const char **variant, const char **why) {
    if (!engine || index >= engine->denied.size()) return 0;
    *variant = engine->denied[index].first.c_str();
    *why = engine->denied[index].second.c_str();
    return 1;
}

ff_status ff_engine_measure(ff_engine *engine, ff_roofline *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!engine || !out) return api::null_argument(engine ? "out" : "engine");
        FF_TRY_ASSIGN(const engine::Roofline found, engine::measure_roofline(engine->engine->device()));
        api::to_caller(ff_roofline{sizeof(ff_roofline), found.read_bytes_per_second, found.multiply_adds_per_second,
                                   found.matrix_multiply_adds_per_second},
                       out);
        return {};
    });
}

uint64_t ff_engine_validation_messages(const ff_engine *engine, char *first, size_t capacity) {
    if (first && capacity) first[0] = '\0';
    if (!engine) return 0;
    const std::uint64_t count = engine->engine->instance().validation_messages();
    if (first && capacity && count) {
        try {
            const std::string message = engine->engine->instance().first_validation_message();
            api::copy_text(message, first, capacity);
        } catch (...) { // the count matters, its text is a comfort
        }
    }
    return count;
}
