#include "runtime/api/objects.h"

using namespace ff;

namespace {

// Of `text`, less a character at its end whose last bytes are still to come.
std::size_t whole_characters(std::string_view text) {
    for (std::size_t back = 1; back <= std::min<std::size_t>(3, text.size()); ++back) {
        const auto byte = static_cast<unsigned char>(text[text.size() - back]);
        if ((byte & 0xC0U) == 0x80U) continue; // inside a character
        const std::size_t length = byte >= 0xF0U ? 4 : byte >= 0xE0U ? 3 : byte >= 0xC0U ? 2 : 1;
        return length > back ? text.size() - back : text.size();
    }
    return text.size();
}

} // namespace

ff_slice_progress api::slice_progress(const engine::SliceProgress &progress) {
    ff_slice_progress info{};
    info.struct_size = sizeof info;
    info.state = static_cast<ff_run_state>(progress.state);
    info.slice = progress.slice;
    info.launches = progress.launches;
    info.next_launch = progress.next_launch;
    info.step_launches = progress.step_launches;
    info.finished = progress.finished;
    info.expected_us = progress.expected_us;
    info.finished_us = progress.finished_us;
    info.longest_us = progress.longest_us;
    info.prompt_read = progress.prompt_read;
    info.produced = progress.produced;
    info.reason = static_cast<ff_stop_reason>(progress.reason);
    return info;
}

ff_status ff_session_start(ff_session *session, const uint32_t *tokens, size_t count,
                           const ff_generate_options *generate, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session || (!tokens && count)) return api::null_argument(session ? "tokens" : "session");
        std::optional<engine::GenerateOptions> options;
        if (generate) {
            FF_TRY_ASSIGN(options, api::generate_options(
                                       api::from_caller(generate, ff_generate_options FF_GENERATE_OPTIONS_INIT)));
        }
        FF_TRY(session->session->start({tokens, tokens + count}, std::move(options)));
        session->text.clear();
        return {};
    });
}

ff_status ff_session_advance(ff_session *session, uint64_t budget_us, ff_slice_progress *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session) return api::null_argument("session");
        FF_TRY_ASSIGN(const engine::SliceProgress progress, session->session->advance(budget_us));
        if (out) api::to_caller(api::slice_progress(progress), out);
        return {};
    });
}

ff_status ff_session_poll(ff_session *session, uint32_t *tokens, size_t capacity, size_t *count, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session || !count || (!tokens && capacity))
            return api::null_argument(!session ? "session" : !count ? "count" : "tokens");
        FF_TRY_ASSIGN(std::deque<std::uint32_t> *const produced, session->session->produced());
        const std::size_t taken = produced ? std::min(capacity, produced->size()) : 0;
        if (taken) {
            const auto end = produced->begin() + static_cast<std::ptrdiff_t>(taken);
            std::copy(produced->begin(), end, tokens);
            produced->erase(produced->begin(), end);
        }
        *count = taken;
        return {};
    });
}

ff_status ff_session_poll_text(ff_session *session, const ff_tokenizer *tokenizer, char *text, size_t capacity,
                               size_t *size, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session || !tokenizer || !size || (!text && capacity))
            return api::null_argument(!session ? "session" : !tokenizer ? "tokenizer" : !size ? "size" : "text");
        FF_TRY_ASSIGN(std::deque<std::uint32_t> *const produced, session->session->produced());
        for (; produced && !produced->empty(); produced->pop_front()) {
            FF_TRY_ASSIGN(const std::string piece, tokenizer->tokenizer->decode(produced->front()));
            session->text += piece;
        }
        std::string_view ready = session->text;
        if (ready.size() > capacity) ready = ready.substr(0, capacity);
        const bool more = session->session->running() || ready.size() < session->text.size();
        if (more) ready = ready.substr(0, whole_characters(ready));
        std::copy(ready.begin(), ready.end(), text);
        *size = ready.size();
        session->text.erase(0, ready.size());
        return {};
    });
}

ff_status ff_session_wait(ff_session *session, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session) return api::null_argument("session");
        return session->session->wait();
    });
}

ff_status ff_session_cancel(ff_session *session, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!session) return api::null_argument("session");
        session->session->cancel();
        return {};
    });
}
