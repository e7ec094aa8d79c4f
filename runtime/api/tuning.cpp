#include "runtime/engine/tuner.h"

#include "runtime/api/objects.h"

#include <fmt/format.h>

using namespace ff;

struct ff_tuning {
    engine::Tuning tuning;
    struct Texts {
        std::string before, after;
    };
    std::vector<Texts> texts;
};

namespace {

Result<void> check_cache(const engine::Engine &engine) {
    if (!engine.options().cache_directory.empty()) return {};
    return Error{Status::argument, "the engine has no cache directory to keep tuned values in"};
}

} // namespace

ff_status ff_engine_tune(ff_tuning **out, ff_engine *engine, const ff_checkpoint *checkpoint,
                         const ff_tuning_options *given, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !engine || !checkpoint) return api::null_argument(!out ? "out" : !engine ? "engine" : "checkpoint");
        const ff_tuning_options options = api::from_caller(given, FF_TUNING_OPTIONS_INIT);
        const engine::EngineOptions &own = engine->engine->options();
        FF_TRY(check_cache(*engine->engine));
        if (!checkpoint->description.ok()) return checkpoint->description.error();
        model::WeightOptions weights;
        FF_TRY_ASSIGN(weights.type, api::weights_named(options.weights));
        const gpu::CacheIdentity identity = gpu::cache_identity(*engine->engine->device());
        const engine::TunedValues before = engine::read_tuned_values(own.cache_directory, identity, own.log);
        FF_TRY(engine::write_tuned_values(own.cache_directory, identity, before)); // fails now, not after minutes of measuring
        auto made = std::make_unique<ff_tuning>();
        FF_TRY_ASSIGN(made->tuning,
                      engine::tune(*engine->engine, *checkpoint->source, *checkpoint->description, weights,
                                   api::progress_function(options.progress, options.progress_payload)));
        for (const engine::TuningResult &result : made->tuning.results)
            made->texts.push_back({fmt::format("{}", fmt::join(result.before, " ")),
                                   fmt::format("{}", fmt::join(result.after, " "))});
        FF_TRY(engine::write_tuned_values(own.cache_directory, identity, engine::to_keep(made->tuning, before)));
        *out = made.release();
        return {};
    });
}

void ff_tuning_destroy(ff_tuning *tuning) {
    delete tuning;
}

int ff_tuning_by_timestamps(const ff_tuning *tuning) {
    return tuning && tuning->tuning.by_timestamps ? 1 : 0;
}

size_t ff_tuning_count(const ff_tuning *tuning) {
    return tuning ? tuning->tuning.results.size() : 0;
}

ff_status ff_tuning_get(const ff_tuning *tuning, size_t index, ff_tuning_result *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!tuning || !out) return api::null_argument(tuning ? "out" : "tuning");
        if (index >= tuning->texts.size())
            return Error{Status::argument, fmt::format("result {} of {}", index, tuning->texts.size())};
        const engine::TuningResult &result = tuning->tuning.results[index];
        api::to_caller(ff_tuning_result{sizeof(ff_tuning_result), result.key.c_str(), tuning->texts[index].before.c_str(),
                                        tuning->texts[index].after.c_str(), result.microseconds_before,
                                        result.microseconds_after, result.better ? 1 : 0, result.candidates,
                                        result.trouble.c_str()},
                       out);
        return {};
    });
}

ff_status ff_engine_forget_tuning(ff_engine *engine, size_t *forgotten, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!engine) return api::null_argument("engine");
        FF_TRY(check_cache(*engine->engine));
        const engine::EngineOptions &own = engine->engine->options();
        const gpu::CacheIdentity identity = gpu::cache_identity(*engine->engine->device());
        if (forgotten) *forgotten = engine::read_tuned_values(own.cache_directory, identity, {}).size();
        return engine::write_tuned_values(own.cache_directory, identity, {});
    });
}
