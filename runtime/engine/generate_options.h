// What a caller asks of a generation, and what comes of it.
#pragma once

#include "loader/description.h"
#include "runtime/base/result.h"
#include "shaders/lib/interface.h"

#include <functional>
#include <vector>

namespace ff::engine {

struct LogitBias {
    std::uint32_t token;
    float bias;
};

struct Sampling {
    float temperature = 1.0F;
    std::uint32_t top_k = 0;
    float top_p = 1.0F, presence = 0.0F, frequency = 0.0F, penalty_decay = 0.996F;
    std::uint64_t seed = 0;
    float min_p = 0.0F, typical_p = 1.0F;
    std::vector<LogitBias> logit_bias;
};

struct GenerateOptions {
    std::uint64_t count = 0;
    Sampling sampling;
    std::vector<std::uint32_t> stop_tokens;
    std::uint32_t in_flight = 0;                 // 0: kDefaultInFlight
    std::function<bool(std::uint32_t)> on_token; // false stops after this token; may be empty
};

enum class StopReason : int { limit = 0, stop_token = 1, callback = 2 };

struct GenerateResult {
    std::uint64_t produced = 0, steps = 0, submissions = 0;
    StopReason reason = StopReason::limit;
    double seconds = 0, host_seconds = 0;
};

// Fails with argument, naming the value and what it may be.
Result<void> check(const GenerateOptions &options, const loader::ModelDescription &description);
// The control entry, as the first step of a generation finds it.
void begin_generating(volatile shader::ControlEntry &entry, const GenerateOptions &options);

} // namespace ff::engine
