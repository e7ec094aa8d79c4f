#include "runtime/api/objects.h"

using namespace ff;

ff_status ff_session_create(ff_session **out, ff_model *model, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !model) return api::null_argument(out ? "model" : "out");
        FF_TRY_ASSIGN(std::unique_ptr<engine::Session> session, engine::Session::create(model->model));
        *out = new ff_session{std::move(session), {}};
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

ff_status ff_session_set_chunk(ff_session *session, uint32_t tokens, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session) return api::null_argument("session");
        session->session->set_chunk(tokens);
        return {};
    });
}

ff_status ff_session_fork(ff_session **out, ff_session *session, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !session) return api::null_argument(out ? "session" : "out");
        FF_TRY_ASSIGN(std::unique_ptr<engine::Session> other, session->session->fork());
        *out = new ff_session{std::move(other), {}};
        return {};
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
        FF_TRY_ASSIGN(const engine::GenerateOptions options,
                      api::generate_options(api::from_caller(given, ff_generate_options FF_GENERATE_OPTIONS_INIT)));
        FF_TRY_ASSIGN(const engine::GenerateResult result, session->session->generate(options));
        if (out) api::to_caller(api::generate_result(result), out);
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

ff_status ff_session_prefetch(ff_session *session, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session) return api::null_argument("session");
        return session->session->prefetch();
    });
}

ff_status ff_session_evict(ff_session *session, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session) return api::null_argument("session");
        return session->session->evict();
    });
}

int ff_session_resident(const ff_session *session) {
    return session && session->session->resident() ? 1 : 0;
}
