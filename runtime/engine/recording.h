// Launches into a command buffer that is replayed.
#pragma once

#include "runtime/engine/engine.h"
#include "runtime/gpu/recorder.h"

#include <vector>

namespace ff::engine {

// Timestamp 0 is taken before the first launch; further ones after each launch, or one after the last.
struct Timing {
    enum class Every : std::uint8_t { step, launch };
    gpu::Timestamps *timestamps = nullptr; // none are taken
    Every every = Every::step;
};

Result<void> record_launch(gpu::Recorder &recorder, const kernels::Launch &launch, const gpu::Pipeline &pipeline);
Result<std::unique_ptr<gpu::CommandBuffer>> record(const std::shared_ptr<gpu::Device> &device, const std::string &name,
                                                   std::span<const kernels::Launch> launches,
                                                   std::span<const gpu::Pipeline *const> pipelines,
                                                   const Timing &timing = {});

// A step in as many command buffers as its work makes submissions (DeviceTraits::most_submission_work).
class StepCommands {
  public:
    static Result<StepCommands> record(const std::shared_ptr<gpu::Device> &device, const std::string &name,
                                       std::span<const kernels::Launch> launches,
                                       std::span<const gpu::Pipeline *const> pipelines, std::uint32_t rows);
    std::span<const VkCommandBuffer> handles() const { return handles_; }
    const kernels::LaunchCounts &counts() const { return counts_; }

  private:
    kernels::LaunchCounts counts_;
    std::vector<std::unique_ptr<gpu::CommandBuffer>> pieces_;
    std::vector<VkCommandBuffer> handles_;
};

} // namespace ff::engine
