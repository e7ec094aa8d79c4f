#include "chat_view.h"

#include <algorithm>

namespace program {
namespace {

// A reply begins with the space that stands behind "Assistant:", or the new line behind a thought.
std::string without_blank_begin(const std::string &text) {
    return text.substr(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
}

} // namespace

Delivery::Sink ChatView::begin(const std::string &opening) {
    thinking_ = {};
    thought_.clear();
    answer_.clear();
    shown_ = false;
    const Thinking::Piece open = thinking_.feed(opening);
    thought_ = without_blank_begin(open.thought);
    return [this](const std::string &text) {
        show(thinking_.feed(text));
        return !gone_;
    };
}

void ChatView::write(const std::string &text) {
    if (options_.json || text.empty()) return;
    shown_ = true;
    if (!out_.write(text)) gone_ = true;
}

void ChatView::style(bool dim) {
    if (dim == dim_) return;
    dim_ = dim;
    if (options_.colour) write(dim ? "\x1b[2m" : "\x1b[0m");
}

// In a pipe only answers are written.
void ChatView::show(const Thinking::Piece &piece) {
    const bool thoughts = options_.interactive && !options_.hide_thinking;
    const std::string thought = thought_.empty() ? without_blank_begin(piece.thought) : piece.thought;
    thought_ += thought;
    if (thoughts && !thought.empty()) {
        style(true);
        write(thought);
    }
    const std::string answer = answer_.empty() ? without_blank_begin(piece.answer) : piece.answer;
    answer_ += answer;
    if (answer.empty()) return;
    if (dim_) {
        style(false);
        write(thought_.ends_with('\n') ? "\n" : "\n\n");
    }
    write(answer);
}

void ChatView::end() {
    show(thinking_.finish());
    style(false);
    const bool needs_end = !options_.interactive || (shown_ && !answer_.ends_with('\n'));
    if (needs_end) write("\n");
    if (options_.interactive) write("\n");
}

void ChatView::report(const Reply &reply, const std::string &branch) {
    if (!options_.json) return;
    const double seconds = reply.result.seconds;
    Json json = {{"schema", "firefinch-chat/1"},
                 {"branch", branch},
                 {"user", reply.user},
                 {"text", answer_},
                 {"thinking", thought_},
                 {"reason", reply.reason},
                 {"seed", reply.seed},
                 {"prompt_tokens", reply.prompt_tokens},
                 {"produced", reply.result.produced},
                 {"prefill_seconds", reply.prefill_seconds},
                 {"seconds", seconds},
                 {"tokens_per_second", seconds > 0 ? static_cast<double>(reply.result.produced) / seconds : 0.0}};
    if (!out_.write(json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n")) gone_ = true;
}

} // namespace program
