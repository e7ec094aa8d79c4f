#include "runtime/model/state_layout.h"

#include "runtime/kernels/padding.h"

#include <cassert>
#include <functional>
#include <numeric>

namespace ff::model {
namespace {

using kernels::padded_bytes;

std::uint64_t aligned_slot(std::uint64_t bytes) {
    return (bytes + 31) / 32 * 32;
}

} // namespace

std::uint32_t StatePart::elements() const {
    return std::accumulate(shape.begin(), shape.end(), 1U, std::multiplies<>());
}

const StatePart &StateLayout::part(std::string_view name) const {
    for (const StatePart &part : parts)
        if (part.name == name) return part;
    assert(false);
    return parts.front();
}

StateLayout state_layout(const loader::ModelDescription &d) {
    StateLayout layout;
    const std::uint64_t vector = padded_bytes(d.width);
    std::uint64_t at = 0;
    const auto twice = [&](std::string name) {
        layout.parts.push_back({std::move(name), {d.width}, at, vector, 0.0F});
        at += 2 * vector;
    };
    twice("att_x");
    if (d.heads == 0) { // RWKV-4: [2, 3, C]
        for (const char *name : {"aa", "bb", "pp"}) {
            layout.parts.push_back({name, {d.attention_width}, at, 3 * vector, 0.0F});
            at += vector;
        }
        layout.parts.back().initial = -1e30F;
        at += 3 * vector;
    } else {
        // Kernels share one layout, [value, key]; version 5 and 6 are known as [key, value] (2404.05892).
        const bool turned = d.version != loader::Version::v7_0 && d.version != loader::Version::v7a;
        layout.parts.push_back({"wkv", {d.heads, d.head_size, d.head_size}, at, 0, 0.0F, turned});
        at += std::uint64_t{4} * d.heads * d.head_size * d.head_size;
    }
    twice("ffn_x");
    layout.slot_bytes = aligned_slot(at);
    return layout;
}

} // namespace ff::model
