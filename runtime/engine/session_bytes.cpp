#include "runtime/engine/session_bytes.h"

#include "runtime/engine/state_file.h"
#include "shaders/lib/interface.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::engine {
namespace {

constexpr std::uint64_t kRounding = 256; // of a layer's states in their arena

} // namespace

SessionBytes session_bytes(const loader::ModelDescription &description) {
    const model::StateLayout layout = model::state_layout(description);
    const std::uint64_t logits = std::uint64_t{4} * description.vocabulary;
    SessionBytes bytes;
    bytes.states = layout.slot_bytes * description.layers;
    bytes.device = bytes.states + 2 * logits;
    bytes.control = sizeof(shader::ControlEntry);
    bytes.snapshot = bytes.states + logits;
    bytes.file = state_file_bytes(shape_of(description), layout, true);
    return bytes;
}

Result<std::uint32_t> resident_sessions(const loader::ModelDescription &description, std::uint32_t sessions,
                                        std::uint32_t spare, std::uint64_t budget) {
    if (budget == 0) return sessions;
    const std::uint64_t each = session_bytes(description).device, rounding = kRounding * description.layers;
    const std::uint64_t least = (spare + 1) * each + rounding;
    if (budget < least)
        return Error{Status::argument,
                     fmt::format("state_memory_bytes is {}: one session of this model and its {} spare states take {}",
                                 budget, spare, least)};
    return static_cast<std::uint32_t>(std::min<std::uint64_t>(sessions, (budget - rounding) / each - spare));
}

} // namespace ff::engine
