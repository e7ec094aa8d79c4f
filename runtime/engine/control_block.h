// The host's side of the control block (shaders/lib/interface.h): mapped memory that the device changes from step to
// step.
#pragma once

#include "runtime/gpu/memory.h"
#include "shaders/lib/interface.h"

#include <cstddef>

namespace ff::engine {

class ControlBlock {
  public:
    explicit ControlBlock(const gpu::BufferView &view) : base_(view.mapped) {}

    // The entry for the step that will be the `step`-th since the model was loaded.
    void enqueue(std::uint64_t step, std::uint32_t entry) { header()->queue[step % shader::kQueueLength] = entry; }
    // For the wide steps to come; none may be in flight.
    void serve_wide(std::uint32_t entry) { header()->wide_entry = entry; }
    volatile shader::ControlEntry &entry(std::uint32_t index) const {
        return reinterpret_cast<volatile shader::ControlEntry *>(base_ + sizeof(shader::ControlHeader))[index];
    }

  private:
    volatile shader::ControlHeader *header() const { return reinterpret_cast<volatile shader::ControlHeader *>(base_); }
    std::byte *base_;
};

} // namespace ff::engine
