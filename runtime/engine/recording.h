// Launches into a command buffer that is replayed.
#pragma once

#include "runtime/engine/engine.h"
#include "runtime/gpu/recorder.h"

namespace ff::engine {

// Timestamp 0 is taken before the first launch; further ones after each launch, or one after the last.
struct Timing {
    enum class Every : std::uint8_t { step, launch };
    gpu::Timestamps *timestamps = nullptr; // none are taken
    Every every = Every::step;
};

Result<std::unique_ptr<gpu::CommandBuffer>> record(const std::shared_ptr<gpu::Device> &device, const std::string &name,
                                                   std::span<const kernels::Launch> launches,
                                                   std::span<const gpu::Pipeline *const> pipelines,
                                                   const Timing &timing = {});

} // namespace ff::engine
