// The host's side of the control block (shaders/lib/interface.h): mapped memory that the device changes from step to
// step.
#pragma once

#include "runtime/gpu/memory.h"
#include "shaders/lib/interface.h"

#include <cstddef>
#include <span>

namespace ff::engine {

class ControlBlock {
  public:
    explicit ControlBlock(const gpu::BufferView &view) : base_(view.mapped) {}

    // The entry for the step that will be the `step`-th since the model was loaded.
    void enqueue(std::uint64_t step, std::uint32_t entry) { header()->queue[step % shader::kQueueLength] = entry; }
    // What the wide step that will be the `step`-th is to do: of each run its entry, and the tokens of its prompt.
    struct Run {
        std::uint32_t entry, rows; // 0 rows: the pending token, if there is one
        bool more = false;         // of the prompt follows in a later step
    };
    void enqueue_wide(std::uint64_t step, std::span<const Run> runs) {
        volatile shader::WideTask &task = header()->tasks[step % shader::kWideQueueLength];
        task.runs = static_cast<std::uint32_t>(runs.size());
        for (std::size_t i = 0; i < runs.size(); ++i) {
            task.entries[i] = runs[i].entry;
            task.rows[i] = runs[i].rows | (runs[i].more ? shader::kTaskMore : 0);
        }
    }
    volatile shader::ControlEntry &entry(std::uint32_t index) const {
        return reinterpret_cast<volatile shader::ControlEntry *>(base_ + sizeof(shader::ControlHeader))[index];
    }

  private:
    volatile shader::ControlHeader *header() const { return reinterpret_cast<volatile shader::ControlHeader *>(base_); }
    std::byte *base_;
};

} // namespace ff::engine
