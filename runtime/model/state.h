// What a session remembers: for each layer and slot the kept inputs of token shift and the WKV state. Its size does not
// depend on how much was read. Layer by layer in memory, so that a layer's slots are one binding.
#pragma once

#include "loader/description.h"
#include "runtime/gpu/memory.h"
#include "runtime/gpu/upload.h"
#include "runtime/kernels/step.h"

#include <span>
#include <string>
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

// The states of all slots on the device.
class StateStore {
  public:
    static Result<StateStore> create(const std::shared_ptr<gpu::Device> &device,
                                     const loader::ModelDescription &description, std::uint32_t slots);
    static std::uint64_t bytes(const loader::ModelDescription &description, std::uint32_t slots);

    const StateLayout &layout() const { return layout_; }
    std::uint32_t slots() const { return slots_; }
    kernels::LayerState layer(std::uint32_t layer) const;
    gpu::BufferView slot(std::uint32_t layer, std::uint32_t slot) const;
    std::uint32_t layers() const { return static_cast<std::uint32_t>(layers_.size()); }
    std::uint64_t bytes_per_slot() const { return layout_.slot_bytes * layers_.size(); }

    // The state before the first token: zeros, and RWKV-4's running exponent at -1e30.
    std::vector<std::byte> initial_layer() const;

  private:
    StateLayout layout_;
    std::uint32_t slots_ = 0;
    std::vector<gpu::Arena> arena_; // one; a vector because an arena has no default
    std::vector<gpu::BufferView> layers_;
};

} // namespace ff::model
