// What a layer remembers, tensor by tensor, and where it lies in a slot: the same on every device, so that states can
// be read and written without one.
#pragma once

#include "loader/description.h"

#include <string>
#include <string_view>
#include <vector>

namespace ff::model {

// One tensor of a layer's state, as snapshots name it. `copies` is 2 where a step reads one copy and writes the other.
struct StatePart {
    std::string name;                 // "att_x", "ffn_x", "wkv", "aa", "bb", "pp"
    std::vector<std::uint32_t> shape; // of one copy
    std::uint64_t offset = 0;         // bytes in the slot, of the first copy
    std::uint64_t copy_stride = 0;    // bytes from copy to copy; 0: there is one
    float initial = 0.0F;
    bool turned =
        false; // square matrices of the last two axes are stored transposed: [value, key] here, [key, value] in files
    std::uint32_t elements() const;
};

struct StateLayout {
    std::vector<StatePart> parts; // in the order of snapshots: att_x, wkv or aa bb pp, ffn_x
    std::uint64_t slot_bytes = 0; // of one layer
    const StatePart &part(std::string_view name) const;
};
StateLayout state_layout(const loader::ModelDescription &description);

} // namespace ff::model
