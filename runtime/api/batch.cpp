#include "runtime/api/objects.h"

using namespace ff;

ff_status ff_batch_create(ff_batch **out, ff_model *model, uint32_t max_sessions, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !model) return api::null_argument(out ? "model" : "out");
        FF_TRY_ASSIGN(std::unique_ptr<engine::Batch> batch, engine::Batch::create(model->model, max_sessions));
        *out = new ff_batch{model->model, std::move(batch)};
        return {};
    });
}

void ff_batch_destroy(ff_batch *batch) {
    delete batch;
}

ff_status ff_batch_add(ff_batch *batch, ff_session *session, const ff_batch_request *given, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!batch || !session || !given)
            return api::null_argument(!batch ? "batch" : !session ? "session" : "request");
        const ff_batch_request request = api::from_caller(given, ff_batch_request FF_BATCH_REQUEST_INIT);
        if (!request.tokens && request.token_count) return api::null_argument("tokens");
        engine::BatchRequest ours;
        ours.prompt.assign(request.tokens, request.tokens + request.token_count);
        FF_TRY_ASSIGN(ours.options, api::generate_options(request.generate));
        if (request.on_end)
            ours.on_end = [call = request.on_end, payload = request.generate.payload](const auto &result) {
                const ff_generate_result info = api::generate_result(result);
                call(payload, &info);
            };
        return batch->batch->add(session->session, std::move(ours));
    });
}

ff_status ff_batch_remove(ff_batch *batch, ff_session *session, ff_generate_result *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!batch || !session) return api::null_argument(batch ? "session" : "batch");
        FF_TRY_ASSIGN(const engine::GenerateResult result, batch->batch->remove(*session->session));
        if (out) api::to_caller(api::generate_result(result), out);
        return {};
    });
}

ff_status ff_batch_run(ff_batch *batch, uint64_t steps, ff_batch_progress *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!batch) return api::null_argument("batch");
        FF_TRY_ASSIGN(const engine::BatchProgress progress, batch->batch->run(steps));
        if (out)
            api::to_caller(ff_batch_progress{sizeof(ff_batch_progress), progress.active, progress.steps,
                                             progress.prompt_tokens, progress.produced, progress.submissions,
                                             progress.launches, progress.seconds, progress.host_seconds},
                           out);
        return {};
    });
}
