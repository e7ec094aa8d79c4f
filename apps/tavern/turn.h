// One character's turn: what was said since is read, then a speech comes, a slice a frame.
#pragma once

#include <firefinch/firefinch.hpp>

#include <string>

namespace tavern {

class Turn {
  public:
    // Of an idle session; `tokens` end where the speech is to begin.
    Turn(firefinch::Session &session, const firefinch::Tokenizer &tokenizer, const std::vector<std::uint32_t> &tokens,
         std::uint64_t seed);
    ~Turn();
    Turn(const Turn &) = delete;
    Turn &operator=(const Turn &) = delete;

    struct Step {
        double inference_us = 0; // that finished slices took
        std::uint32_t tokens = 0;
        bool over = false;
    };
    Step advance(std::uint64_t budget_us);

    const std::string &speech() const { return speech_; } // so far; whole characters
    bool reading() const { return speech_.empty(); }

  private:
    static int heard(void *self, std::uint32_t token);
    bool ends() const;

    firefinch::Session &session_;
    const firefinch::Tokenizer &tokenizer_;
    std::string speech_, incomplete_;
    std::uint32_t produced_ = 0, told_ = 0;
};

} // namespace tavern
