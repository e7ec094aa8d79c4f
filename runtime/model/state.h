// What a session remembers: for each layer and slot the kept inputs of token shift and the WKV state. Its size does not
// depend on how much was read. Layer by layer in memory, so that a layer's slots are one binding.
#pragma once

#include "runtime/gpu/memory.h"
#include "runtime/gpu/upload.h"
#include "runtime/kernels/step.h"
#include "runtime/model/state_layout.h"

namespace ff::model {

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
