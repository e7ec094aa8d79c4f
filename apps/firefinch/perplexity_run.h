// The work of `firefinch perplexity`: a text goes through one model or two, and every token is scored.
#pragma once

#include "terminal.h"

#include <cstdint>
#include <vector>

#include <firefinch/firefinch.hpp>

namespace program {

struct PerplexityResult {
    double nats = 0, seconds = 0;
    // Only with a second model, which is the reference: KL(other || model).
    double other_nats = 0, kl_sum = 0, kl_max = 0;
    std::uint64_t agreements = 0; // tokens for which both think the same one most probable
};

// Scores ids[1], ids[2], ... each predicted from all before it. `other` may be nullptr. `chunk` tokens are read and
// then scored at a time. Throws Interrupted.
PerplexityResult run_perplexity(const firefinch::Model &model, const firefinch::Model *other,
                                const std::vector<std::uint32_t> &ids, std::size_t chunk, Terminal &terminal);

} // namespace program
