#include "runtime/api/objects.h"

#include "runtime/engine/model_load.h"

using namespace ff;

struct ff_model_load {
    api::ModelOrigin origin;
    std::unique_ptr<engine::ModelLoad> load;
};

ff_status ff_model_load_create(ff_model_load **out, ff_engine *engine, const ff_checkpoint *checkpoint,
                               const ff_model_options *given, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !engine || !checkpoint) return api::null_argument(!out ? "out" : !engine ? "engine" : "checkpoint");
        if (!checkpoint->description.ok()) return checkpoint->description.error();
        FF_TRY_ASSIGN(engine::ModelOptions options, api::model_options(*engine, given));
        auto handle = std::make_unique<ff_model_load>();
        handle->origin = api::origin_of(*checkpoint);
        handle->load = std::make_unique<engine::ModelLoad>(engine->engine, checkpoint->source, *checkpoint->description,
                                                           std::move(options));
        *out = handle.release();
        return {};
    });
}

ff_status ff_model_load_step(ff_model_load *load, uint64_t bytes, ff_load_progress *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!load) return api::null_argument("load");
        FF_TRY_ASSIGN(const engine::LoadProgress progress, load->load->step(bytes));
        const ff_load_progress ours{sizeof(ff_load_progress), progress.finished ? 1 : 0,
                                    progress.stage.data(), // literals: they end with a zero
                                    progress.done, progress.total};
        if (out) api::to_caller(ours, out);
        return {};
    });
}

ff_status ff_model_load_finish(ff_model **out, ff_model_load *load, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !load) return api::null_argument(out ? "load" : "out");
        FF_TRY_ASSIGN(std::shared_ptr<engine::Model> model, load->load->finish());
        *out = api::model_handle(std::move(model), load->origin).release();
        return {};
    });
}

void ff_model_load_destroy(ff_model_load *load) {
    delete load;
}
