#include "runtime/api/objects.h"

#include <fmt/format.h>

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

ff_status ff_snapshot_create(ff_snapshot **out, ff_session *session, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !session) return api::null_argument(out ? "session" : "out");
        FF_TRY_ASSIGN(engine::Snapshot snapshot, session->session->snapshot());
        *out = new ff_snapshot{std::move(snapshot)};
        return {};
    });
}

void ff_snapshot_destroy(ff_snapshot *snapshot) {
    delete snapshot;
}

uint64_t ff_snapshot_bytes(const ff_snapshot *snapshot) {
    return snapshot ? snapshot->snapshot.states.size() + sizeof(float) * snapshot->snapshot.logits.size() : 0;
}

ff_status ff_session_restore(ff_session *session, const ff_snapshot *snapshot, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session || !snapshot) return api::null_argument(session ? "snapshot" : "session");
        return session->session->restore(snapshot->snapshot);
    });
}

ff_status ff_session_profile(ff_profile_report **out, ff_session *session, uint32_t steps, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !session) return api::null_argument(out ? "session" : "out");
        auto report = std::make_unique<ff_profile_report>();
        FF_TRY_ASSIGN(report->costs, session->session->profile(steps));
        for (const engine::KernelCost &cost : report->costs)
            report->names.emplace_back(cost.variant->kernel, cost.variant->name);
        *out = report.release();
        return {};
    });
}

void ff_profile_report_destroy(ff_profile_report *report) {
    delete report;
}

size_t ff_profile_report_count(const ff_profile_report *report) {
    return report ? report->costs.size() : 0;
}

ff_status ff_profile_report_kernel(const ff_profile_report *report, size_t index, ff_kernel_cost *out,
                                   ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!report || !out) return api::null_argument(report ? "out" : "report");
        if (index >= report->costs.size())
            return Error{Status::argument, fmt::format("kernel {} of {}", index, report->costs.size())};
        const engine::KernelCost &cost = report->costs[index];
        const auto &[kernel, variant] = report->names[index];
        api::to_caller(ff_kernel_cost{sizeof(ff_kernel_cost), kernel.c_str(), variant.c_str(), cost.calls,
                                      cost.microseconds, cost.bytes},
                       out);
        return {};
    });
}
