// The same work again and again on the demo model: every round must leave the same tokens and the same bits.
#pragma once

#include "terminal.h"

#include <cstdint>
#include <string>

#include <firefinch/firefinch.hpp>

namespace program {

struct SoakResult {
    double seconds = 0;
    std::uint64_t rounds = 0, tokens = 0; // read and produced
    std::string trouble;                  // what was different: "round 7, token 13: 45, in the first round 46"
    bool passed() const { return trouble.empty(); }
};

// For `seconds`, two rounds at least. Throws Interrupted.
SoakResult soak(const firefinch::Engine &engine, double seconds, Terminal &terminal);

} // namespace program
