// A step that is submitted in runs of launches of any length. Its command buffers are blocks of launches, the whole,
// its halves, their halves and so on, recorded when first wanted and kept: any run is a few of them, and a run that
// comes again records nothing.
#pragma once

#include "runtime/engine/engine.h"
#include "runtime/engine/recording.h"

#include <map>

namespace ff::engine {

class SlicedStep {
  public:
    struct Copy {
        gpu::BufferView from, to;
    };
    // `rows`: tokens that it reads at most.
    static Result<std::unique_ptr<SlicedStep>> create(Engine &engine, std::shared_ptr<gpu::RecordingPool> pool,
                                                      std::string name, std::vector<kernels::Launch> launches,
                                                      std::uint32_t rows);
    // What follows launch `after`; before anything is recorded.
    void add_copy(std::uint32_t after, Copy copy) { copies_[after] = copy; }

    std::uint32_t count() const { return static_cast<std::uint32_t>(launches_.size()); }
    const kernels::Launch &launch(std::uint32_t index) const { return launches_[index]; }
    std::uint64_t work(std::uint32_t begin, std::uint32_t end) const; // as DeviceTraits::most_submission_work counts
    // Appends the command buffers of launches `begin` to `end`.
    Result<void> commands(std::uint32_t begin, std::uint32_t end, std::vector<VkCommandBuffer> &out);
    // Records them, with a timestamp before the first and after each where `each` is given.
    Result<void> record(gpu::Recorder &recorder, std::uint32_t begin, std::uint32_t end,
                        gpu::Timestamps *each = nullptr) const;

  private:
    SlicedStep() = default;
    Result<void> add(std::uint32_t begin, std::uint32_t end, std::uint32_t from, std::uint32_t to,
                     std::vector<VkCommandBuffer> &out);

    std::shared_ptr<gpu::Device> device_;
    std::shared_ptr<gpu::RecordingPool> pool_;
    std::string name_;
    std::vector<kernels::Launch> launches_;
    std::vector<const gpu::Pipeline *> pipelines_;
    std::uint32_t rows_ = 1;
    std::map<std::uint32_t, Copy> copies_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, gpu::CommandBuffer> blocks_; // by first launch and end
};

} // namespace ff::engine
