// What logits say of the token that came, in double precision.
#pragma once

#include <cstdint>
#include <span>

namespace program {

struct TokenScore {
    double nats = 0;        // -log(probability) of the token
    std::uint32_t best = 0; // the most probable token, the lowest id on a tie
    double log_sum_exp = 0; // of the row
};
TokenScore score_token(std::span<const float> logits, std::uint32_t token);

// KL(reference || other) in nats: what it costs to take `other` for `reference`. Both [V], with their log_sum_exp.
double kl_divergence(std::span<const float> reference, double reference_log_sum_exp, std::span<const float> other,
                     double other_log_sum_exp);

} // namespace program
