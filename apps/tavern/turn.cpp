#include "turn.h"

namespace tavern {
namespace {

constexpr std::size_t kLongEnough = 150, kTooLong = 260; // characters of a speech

ff_generate_options generation(std::uint64_t seed) {
    ff_generate_options options = firefinch::generate_options();
    options.count = kTooLong;
    options.sampling.temperature = 0.7F;
    options.sampling.top_p = 0.8F;
    options.sampling.seed = seed;
    return options;
}

// How many of the bytes are whole characters of UTF-8.
std::size_t whole(const std::string &bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
        const unsigned char lead = static_cast<unsigned char>(bytes[at]);
        const std::size_t length = lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
        if (at + length > bytes.size()) break;
        at += length;
    }
    return at;
}

} // namespace

Turn::Turn(firefinch::Session &session, const firefinch::Tokenizer &tokenizer, const std::vector<std::uint32_t> &tokens,
           std::uint64_t seed)
    : session_(session), tokenizer_(tokenizer) {
    ff_generate_options options = generation(seed);
    const std::uint32_t end = tokenizer.special(FF_TOKEN_END_OF_TEXT).value_or(0); // 0 divides documents of bytes too
    options.stop_tokens = &end;
    options.stop_token_count = 1;
    options.on_token = heard; // so that the speech can end at exactly one token
    options.payload = this;
    session_.start(tokens, &options);
}

Turn::~Turn() {
    ff_session_cancel(session_.get(), nullptr); // does nothing where it is over
}

int Turn::heard(void *self, std::uint32_t token) {
    Turn &turn = *static_cast<Turn *>(self);
    try {
        ++turn.produced_;
        turn.incomplete_ += turn.tokenizer_.decode(token);
        const std::size_t ready = whole(turn.incomplete_);
        turn.speech_ += turn.incomplete_.substr(0, ready);
        turn.incomplete_.erase(0, ready);
        return turn.ends() ? 1 : 0;
    } catch (const std::exception &) {
        return 1;
    }
}

// At the empty line that follows a speech; a long one at the end of a sentence.
bool Turn::ends() const {
    if (speech_.size() > 2 && speech_.ends_with("\n\n")) return true;
    return speech_.size() >= kLongEnough && std::string(".!?").find(speech_.back()) != std::string::npos;
}

Turn::Step Turn::advance(std::uint64_t budget_us) {
    const ff_slice_progress progress = session_.advance(budget_us);
    Step step;
    step.inference_us = progress.finished_us;
    step.tokens = produced_ - told_;
    step.over = progress.state == FF_RUN_IDLE;
    told_ = produced_;
    return step;
}

} // namespace tavern
