#include "runtime/api/objects.h"
#include "runtime/include/firefinch/firefinch_vulkan.h"

#include <fmt/format.h>

using namespace ff;

namespace {

std::vector<gpu::SemaphoreAt> semaphores(const ff_semaphore_at *given, size_t count) {
    std::vector<gpu::SemaphoreAt> ours;
    for (size_t i = 0; i < count; ++i) ours.push_back({given[i].semaphore, given[i].value});
    return ours;
}

Result<gpu::BufferView> view_of(const engine::Session &session, ff_session_data data, std::uint32_t layer) {
    const engine::Lane *const lane = session.lane();
    if (!lane) return Error{Status::argument, "the session does not run in slices: start it first"};
    switch (data) {
    case FF_SESSION_LOGITS:
        return session.logits();
    case FF_SESSION_TOKENS:
        return lane->produced();
    case FF_SESSION_TOKEN_COUNT:
        return lane->produced_count();
    case FF_SESSION_HIDDEN: {
        if (!lane->options().keeps_hidden)
            return Error{Status::argument,
                         "this run does not keep hidden vectors: call ff_session_keep_hidden before it is started"};
        const std::uint32_t layers = session.model().description().layers;
        if (layer >= layers) return Error{Status::argument, fmt::format("layer {} of {}", layer, layers)};
        return lane->hidden(layer);
    }
    }
    return Error{Status::argument, fmt::format("there is no session data {}", static_cast<int>(data))};
}

} // namespace

ff_status ff_session_submit(ff_session *session, uint64_t budget_us, const ff_slice_order *given,
                            ff_slice_progress *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session) return api::null_argument("session");
        const ff_slice_order order = api::from_caller(given, ff_slice_order FF_SLICE_ORDER_INIT);
        if ((!order.wait && order.wait_count) || (!order.signal && order.signal_count))
            return api::null_argument(order.signal ? "wait" : "signal");
        const auto wait = semaphores(order.wait, order.wait_count);
        const auto signal = semaphores(order.signal, order.signal_count);
        FF_TRY_ASSIGN(const engine::SliceProgress progress,
                      session->session->advance(budget_us, {.wait = wait, .signal = signal}));
        if (out) api::to_caller(api::slice_progress(progress), out);
        return {};
    });
}

ff_status ff_session_record(ff_session *session, VkCommandBuffer commands, uint64_t budget_us, ff_slice_progress *out,
                            ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session || !commands) return api::null_argument(session ? "commands" : "session");
        FF_TRY_ASSIGN(const engine::SliceProgress progress, session->session->record(commands, budget_us));
        if (out) api::to_caller(api::slice_progress(progress), out);
        return {};
    });
}

ff_status ff_session_retire(ff_session *session, uint64_t slice, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session) return api::null_argument("session");
        session->session->retire(slice);
        return {};
    });
}

ff_status ff_session_timeline(ff_session *session, ff_semaphore_at *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session || !out) return api::null_argument(session ? "out" : "session");
        const VkSemaphore semaphore = session->session->model().timeline().semaphore();
        if (semaphore == VK_NULL_HANDLE)
            return Error{Status::unsupported, "the device has no timeline semaphores, or they are not enabled"};
        *out = {semaphore, session->session->last_submission()};
        return {};
    });
}

ff_status ff_session_buffer(ff_session *session, ff_session_data data, uint32_t layer, ff_buffer_range *out,
                            ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session || !out) return api::null_argument(session ? "out" : "session");
        FF_TRY_ASSIGN(const gpu::BufferView view, view_of(*session->session, data, layer));
        *out = {view.buffer, view.offset, view.bytes};
        return {};
    });
}

ff_status ff_session_keep_hidden(ff_session *session, int keep, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session) return api::null_argument("session");
        return session->session->keep_hidden(keep != 0);
    });
}
