// What a session costs in bytes, known from the model's description alone.
#pragma once

#include "loader/description.h"
#include "runtime/base/result.h"

namespace ff::engine {

struct SessionBytes {
    std::uint64_t states = 0;   // of all layers
    std::uint64_t device = 0;   // in a slot: states, logits, counts of produced tokens
    std::uint64_t control = 0;  // of every session, whether or not it has a slot
    std::uint64_t snapshot = 0; // in host memory, with logits
    std::uint64_t file = 0;     // a state file with logits, but for its fingerprint's value
};
SessionBytes session_bytes(const loader::ModelDescription &description);

// How many sessions have their states on the device at once, of `sessions`, when these may take `budget` bytes (0: no
// limit) with `spare` states beside them. Fails with argument where not one has room.
Result<std::uint32_t> resident_sessions(const loader::ModelDescription &description, std::uint32_t sessions,
                                        std::uint32_t spare, std::uint64_t budget);

} // namespace ff::engine
