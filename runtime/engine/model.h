// A loaded model that can run: its decode step recorded once, and the queue of steps submitted to the device.
#pragma once

#include "runtime/engine/compile_ahead.h"
#include "runtime/engine/lane.h"
#include "runtime/engine/state_pager.h"
#include "runtime/engine/wide_step.h"

#include <atomic>
#include <map>
#include <mutex>

namespace ff::engine {

struct ModelOptions {
    model::WeightOptions weights;
    std::uint32_t max_sessions = 4;
    std::uint64_t upload_ring_bytes = 32ULL << 20; // of the weights; a quarter is uploaded at a time
    std::uint64_t state_memory_bytes = 0; // for their states on the device; 0: no limit
};

struct ModelStatistics {
    double load_seconds = 0, pipeline_seconds = 0;
    std::uint32_t recordings = 0, pipelines = 0; // of the decode step
    bool pipeline_cache_hit = false;
    std::uint64_t submissions = 0, launches = 0; // so far; the launches of slices are not counted
    std::uint64_t tunable_launches = 0, tuned_launches = 0; // of these
};

class Model {
  public:
    static Result<std::shared_ptr<Model>> create(std::shared_ptr<Engine> engine, const loader::TensorSource &source,
                                                 const loader::ModelDescription &description,
                                                 const ModelOptions &options);
    ~Model(); // waits for the device

    const model::LoadedModel &loaded() const { return *loaded_; }
    const loader::ModelDescription &description() const { return loaded_->description(); }
    const Engine &engine() const { return *engine_; }
    ModelStatistics statistics() const;
    std::uint32_t launches_per_step() const { return step_->launches(); }
    const kernels::LaunchCounts &step_counts() const { return step_counts_; }
    std::uint32_t barriers_per_step() const { return step_->barriers(); }
    const std::vector<bool> &barrier_before() const { return step_->barrier_before(); }
    const std::string &fingerprint() const { return fingerprint_; } // of the tensors' names, shapes and first bytes

    StatePager &pager() const { return *pager_; }
    // Two more states than the pager has: what a generation goes back to when it is stopped between tokens.
    static constexpr std::uint32_t kSpareSlots = 2;
    std::uint32_t spare_slot(std::uint32_t which) const { return pager_->slots() + which; }

    // --- for sessions that run in slices, which need not hold the mutex for these.
    LanePool &lanes() { return *lanes_; }
    LaunchCosts &costs() { return *costs_; }
    const LanePool &lanes() const { return *lanes_; }

    // --- for sessions; all of it under the mutex: sessions of one model take turns.
    std::mutex &mutex() { return mutex_; }
    ControlBlock control() const { return ControlBlock(loaded_->control()); }
    gpu::Timeline &timeline() { return *timeline_; }
    VkCommandBuffer step() const { return step_->handle(); }
    // Submits command buffers of which `steps` are step(); their entry is `entry`. At most kQueueLength unfinished
    // steps.
    Result<std::uint64_t> submit(std::uint32_t entry, std::span<const VkCommandBuffer> commands, std::uint32_t steps);
    // A command buffer that copies a state from slot to slot, without its logits; recorded at first use and kept.
    Result<VkCommandBuffer> copy_of_slot(std::uint32_t from, std::uint32_t to);
    // Copies a slot's logits into row `row` of the readback buffer; likewise.
    Result<VkCommandBuffer> copy_of_logits(std::uint32_t slot, std::uint32_t row);
    // The step that reads a prompt; made at first use and kept. A long one has more rows where the device gains by it.
    Result<WideStep *> prompt_step(std::size_t tokens);
    // A step for up to `rows` tokens of `runs` sessions; likewise.
    Result<WideStep *> wide_step(std::uint32_t rows, std::uint32_t runs);
    // Submits a wide step for these runs. At most kWideQueueLength unfinished ones.
    Result<std::uint64_t> submit_wide(std::span<const ControlBlock::Run> runs,
                                      const StepCommands &step);
    // The step recorded anew, with a timestamp after every launch.
    Result<std::unique_ptr<gpu::CommandBuffer>> timed_step(gpu::Timestamps &timestamps);
    static constexpr std::uint32_t kReadbackRows = 16;
    const float *readback_row(std::uint32_t row) const;

  private:
    Model() = default;
    Result<void> prepare(const ModelOptions &options, const CompileAhead::Made &ahead);
    void count(const kernels::LaunchCounts &step, std::uint64_t times);

    std::shared_ptr<Engine> engine_;
    std::unique_ptr<model::LoadedModel> loaded_;
    std::unique_ptr<gpu::Timeline> timeline_;
    std::unique_ptr<StatePager> pager_;
    std::vector<gpu::Uploader> uploader_; // one; a vector because it has no default
    std::unique_ptr<gpu::CommandBuffer> step_;
    std::map<std::pair<std::uint32_t, std::uint32_t>, std::unique_ptr<WideStep>> wide_steps_; // by rows and runs
    std::map<std::pair<std::uint32_t, std::uint32_t>, gpu::CommandBuffer> slot_copies_, logits_copies_;
    gpu::Buffer readback_;
    std::unique_ptr<LaunchCosts> costs_;
    std::unique_ptr<LanePool> lanes_;
    ModelStatistics statistics_;
    kernels::LaunchCounts step_counts_;
    std::atomic<std::uint64_t> launches_ = 0, tunable_launches_ = 0, tuned_launches_ = 0;
    bool long_prompts_refused_ = false; // for want of memory
    std::string fingerprint_;
    std::uint64_t steps_submitted_ = 0, wide_steps_submitted_ = 0;
    std::mutex mutex_;
};

} // namespace ff::engine
