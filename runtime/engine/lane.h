// What a session works in while it runs in slices, beside its state: activations, a control block of its own, and the
// command buffers that use them. Sessions of one model that run at once have one each, so they may stop and go on
// between any two launches of a step; when a run has ended, its lane serves the next.
#pragma once

#include "runtime/engine/control_block.h"
#include "runtime/engine/launch_costs.h"
#include "runtime/engine/slice_clock.h"
#include "runtime/engine/sliced_step.h"
#include "runtime/model/plan.h"

namespace ff::engine {

class Lane {
  public:
    struct Options {
        bool reads_prompts = false; // in steps of many tokens
        bool keeps_hidden = false;  // x after each layer
    };
    static std::uint64_t bytes(const model::LoadedModel &model, const Options &options);
    static Result<std::unique_ptr<Lane>> create(Engine &engine, const model::LoadedModel &model,
                                                const Options &options);
    // Activations of prompts are added to a lane that lacks them.
    Result<void> add_prompts();

    // Forgets what it was used for. Nothing of it is in flight.
    void clear(std::uint32_t slot);
    ControlBlock control() const { return ControlBlock(control_.view()); }
    volatile shader::ControlEntry &entry() const { return control().entry(0); }
    gpu::BufferView produced() const; // ControlEntry::tokens
    gpu::BufferView produced_count() const;
    gpu::BufferView hidden(std::uint32_t layer) const; // [C]; empty unless it keeps them

    SlicedStep &decode() { return *decode_; }
    SlicedStep *prompt() { return prompt_.get(); } // null unless it reads prompts
    SliceClock &clock() { return clock_; }
    const std::shared_ptr<gpu::RecordingPool> &pool() const { return pool_; }
    const Options &options() const { return options_; }
    std::uint64_t bytes() const { return bytes(model_, options_); }

  private:
    Lane(Engine &engine, const model::LoadedModel &model, std::shared_ptr<gpu::RecordingPool> pool)
        : engine_(engine), model_(model), pool_(pool), clock_(engine.device(), std::move(pool)) {}
    Result<gpu::Buffer> zeroed(std::uint64_t bytes, std::string_view name);
    // The launches with the model's scratch `from` replaced by `to`, and its control block by ours.
    std::vector<kernels::Launch> moved(std::span<const kernels::Launch> launches, const gpu::BufferView &from,
                                       const gpu::BufferView &to) const;

    Engine &engine_;
    const model::LoadedModel &model_;
    Options options_;
    gpu::Buffer control_, scratch_, prompt_scratch_, hidden_;
    std::shared_ptr<gpu::RecordingPool> pool_;
    std::unique_ptr<SlicedStep> decode_, prompt_;
    SliceClock clock_;
};

// The lanes of a model, those in use and those that wait for the next run. Any thread.
class LanePool {
  public:
    LanePool(Engine &engine, const model::LoadedModel &model) : engine_(engine), model_(model) {}
    // One that can do this; allocates when none is free.
    Result<std::unique_ptr<Lane>> take(const Lane::Options &options);
    void give(std::unique_ptr<Lane> lane);
    std::uint64_t bytes() const; // of all there are

  private:
    Engine &engine_;
    const model::LoadedModel &model_;
    mutable std::mutex mutex_;
    std::vector<std::unique_ptr<Lane>> free_;
    std::uint64_t bytes_ = 0;
};

} // namespace ff::engine
