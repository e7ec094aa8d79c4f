#include "thinking.h"

#include <algorithm>
#include <cstddef>
#include <utility>

namespace program {
namespace {

constexpr std::string_view kOpen = "<think", kClose = "</think>", kBlank = " \t\r\n";

} // namespace

// True when it is known what the reply begins with. Templates end in "<think" and leave the ">" to the model.
bool Thinking::begin_thought() {
    const std::size_t at = held_.find_first_not_of(kBlank);
    if (at == std::string::npos) return false;
    const std::string_view text = std::string_view(held_).substr(at);
    if (kOpen.starts_with(text) && text.size() < kOpen.size()) return false;
    part_ = text.starts_with(kOpen) ? Part::thought : Part::answer;
    if (part_ == Part::thought) held_.erase(0, at + kOpen.size());
    return true;
}

// True when the thought is over.
bool Thinking::end_thought(Piece &out) {
    if (!thought_begun_ && !held_.empty()) {
        if (held_[0] == '>') held_.erase(0, 1);
        thought_begun_ = true;
    }
    const std::size_t end = held_.find(kClose);
    if (end != std::string::npos) {
        out.thought += held_.substr(0, end);
        held_.erase(0, end + kClose.size());
        part_ = Part::answer;
        return true;
    }
    std::size_t keep = std::min(kClose.size() - 1, held_.size());
    while (keep > 0 && !held_.ends_with(kClose.substr(0, keep))) --keep;
    out.thought += held_.substr(0, held_.size() - keep);
    held_.erase(0, held_.size() - keep);
    return false;
}

Thinking::Piece Thinking::feed(std::string_view text) {
    Piece out;
    held_ += text;
    if (part_ == Part::unknown && !begin_thought()) return out;
    if (part_ == Part::thought && !end_thought(out)) return out;
    out.answer = std::exchange(held_, {});
    return out;
}

Thinking::Piece Thinking::finish() {
    Piece out;
    (part_ == Part::thought ? out.thought : out.answer) = std::exchange(held_, {});
    return out;
}

} // namespace program
