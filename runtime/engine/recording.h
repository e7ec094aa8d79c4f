// Launches into a command buffer that is replayed.
#pragma once

#include "runtime/engine/engine.h"
#include "runtime/gpu/recorder.h"

namespace ff::engine {

Result<std::unique_ptr<gpu::CommandBuffer>> record(const std::shared_ptr<gpu::Device> &device, const std::string &name,
                                                   std::span<const kernels::Launch> launches,
                                                   std::span<const gpu::Pipeline *const> pipelines);

} // namespace ff::engine
