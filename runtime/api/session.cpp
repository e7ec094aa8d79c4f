#include "runtime/api/objects.h"

using namespace ff;

ff_status ff_session_create(ff_session **out, ff_model *model, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !model) return api::null_argument(out ? "model" : "out");
        FF_TRY_ASSIGN(std::unique_ptr<engine::Session> session, engine::Session::create(model->model));
        *out = new ff_session{std::move(session)};
        return {};
    });
}

void ff_session_destroy(ff_session *session) {
    delete session;
}

ff_status ff_session_reset(ff_session *session, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session) return api::null_argument("session");
        return session->session->reset();
    });
}

ff_status ff_session_prefill(ff_session *session, const uint32_t *tokens, size_t count, float *logits,
                             ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session || (!tokens && count)) return api::null_argument(session ? "tokens" : "session");
        return session->session->prefill({tokens, count}, logits);
    });
}

ff_status ff_session_evaluate(ff_session *session, const uint32_t *tokens, size_t count, float *logits,
                              ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session || (!tokens && count) || !logits)
            return api::null_argument(!session ? "session" : !logits ? "logits" : "tokens");
        return session->session->evaluate({tokens, count}, logits);
    });
}

ff_status ff_session_generate(ff_session *session, const ff_generate_options *given, ff_generate_result *out,
                              ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session || !given) return api::null_argument(session ? "options" : "session");
        const ff_generate_options defaults = FF_GENERATE_OPTIONS_INIT;
        const ff_generate_options options = api::from_caller(given, defaults);
        if (!options.stop_tokens && options.stop_token_count) return api::null_argument("stop_tokens");
        engine::GenerateOptions ours;
        ours.count = options.count;
        ours.sampling = {options.sampling.temperature, options.sampling.top_k,     options.sampling.top_p,
                         options.sampling.presence,    options.sampling.frequency, options.sampling.penalty_decay,
                         options.sampling.seed};
        ours.stop_tokens.assign(options.stop_tokens, options.stop_tokens + options.stop_token_count);
        ours.in_flight = options.in_flight;
        if (options.on_token)
            ours.on_token = [&](std::uint32_t token) { return options.on_token(options.payload, token) == 0; };
        FF_TRY_ASSIGN(const engine::GenerateResult result, session->session->generate(ours));
        if (out) {
            ff_generate_result info{};
            info.struct_size = sizeof info;
            info.produced = result.produced;
            info.reason = static_cast<ff_stop_reason>(result.reason);
            info.seconds = result.seconds;
            info.steps = result.steps;
            info.submissions = result.submissions;
            info.host_seconds = result.host_seconds;
            api::to_caller(info, out);
        }
        return {};
    });
}

ff_status ff_session_save(ff_session *session, const char *path, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session || !path) return api::null_argument(session ? "path" : "session");
        return session->session->save(path);
    });
}

ff_status ff_session_load(ff_session *session, const char *path, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session || !path) return api::null_argument(session ? "path" : "session");
        return session->session->load(path);
    });
}
