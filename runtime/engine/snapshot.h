// A session's state in host memory, in the layout that it has on every device (runtime/model/state.h).
#pragma once

#include "loader/description.h"

#include <cstddef>
#include <string>
#include <vector>

namespace ff::engine {

// What two models must have in common for one to go on from a state of the other.
struct StateShape {
    std::string version;
    std::uint32_t layers = 0, width = 0, heads = 0, head_size = 0, vocabulary = 0;
    bool operator==(const StateShape &) const = default;
};
StateShape shape_of(const loader::ModelDescription &description);
std::string text_of(const StateShape &shape);

struct Snapshot {
    StateShape shape;
    std::uint32_t parity = 0;      // which copy of the kept inputs in `states` is the one that counts
    std::vector<std::byte> states; // as Model::read_slot gives them
    std::vector<float> logits;     // after the last token read; empty if nothing was read
};

} // namespace ff::engine
