// Which launches need a barrier before them: decided on plain data, so plans can be printed without recording.
#pragma once

#include "runtime/gpu/memory.h"

namespace ff::gpu {

enum class Access : std::uint8_t { read = 1, write = 2, read_write = 3 };

struct Use {
    BufferView view;
    Access access = Access::read;
};

// A barrier orders everything before it with everything after; one is placed only when a launch touches bytes that a
// launch since the last barrier wrote, or writes bytes that one read.
class BarrierTracker {
  public:
    // True if a barrier must stand before this launch; the tracker then forgets what came before it.
    bool needs_barrier_before(std::span<const Use> uses);
    void reset();

  private:
    std::vector<Use> since_barrier_;
};

} // namespace ff::gpu
