// A step that reads many tokens at once, of one session or of several: its plan, its pipelines, and its command buffers,
// recorded once. What each replay of them does is said in the control block (ControlBlock::enqueue_wide).
#pragma once

#include "runtime/engine/engine.h"
#include "runtime/engine/recording.h"
#include "runtime/model/plan.h"

namespace ff::engine {

class WideStep {
  public:
    // Of the model's own plan for prompts.
    static Result<std::unique_ptr<WideStep>> create(Engine &engine, const model::WidePlan &plan);
    // Of a plan that this keeps.
    static Result<std::unique_ptr<WideStep>> create(Engine &engine, std::unique_ptr<model::WidePlan> plan);

    std::uint32_t rows() const { return plan_.rows; } // tokens that it reads at most
    std::uint32_t runs() const { return plan_.runs; } // sessions that it serves at most
    std::uint32_t launches() const { return read_.counts().all; }
    const model::WidePlan &plan() const { return plan_; }
    // Leaves the logits that are wanted in their sessions' slots.
    const StepCommands &read() const { return read_; }
    // The same, with the logits of every row left in logits(): [rows, vocabulary].
    Result<const StepCommands *> read_with_logits(std::uint32_t vocabulary);
    const float *logits() const { return reinterpret_cast<const float *>(logits_.view().mapped); }

  private:
    WideStep(Engine &engine, const model::WidePlan &plan) : engine_(engine), plan_(plan) {}

    Engine &engine_;
    std::unique_ptr<model::WidePlan> kept_;
    const model::WidePlan &plan_;
    StepCommands read_, read_with_logits_; // the second is empty until it is wanted
    gpu::Buffer logits_; // made with read_with_logits_
};

} // namespace ff::engine
