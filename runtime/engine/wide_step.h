// The step that reads many tokens of a prompt at once: its pipelines, and its command buffers, recorded once. Made when
// a prompt first is long enough to want it.
#pragma once

#include "runtime/engine/engine.h"
#include "runtime/gpu/recorder.h"
#include "runtime/model/plan.h"

#include <optional>

namespace ff::engine {

class WideStep {
  public:
    static Result<std::unique_ptr<WideStep>> create(Engine &engine, const model::LoadedModel &model);

    std::uint32_t rows() const { return model_.wide_plan().rows; } // that it reads at most
    // Reads what the control block's wide_entry has of its prompt, and leaves the last row's logits in the slot.
    VkCommandBuffer read() const { return read_->handle(); }
    // The same, with the logits of every row left in logits(): [rows, V].
    Result<VkCommandBuffer> read_with_logits();
    const float *logits() const { return reinterpret_cast<const float *>(logits_.view().mapped); }

  private:
    WideStep(Engine &engine, const model::LoadedModel &model) : engine_(engine), model_(model) {}

    Engine &engine_;
    const model::LoadedModel &model_;
    std::unique_ptr<gpu::CommandBuffer> read_, read_with_logits_;
    gpu::Buffer logits_; // made with read_with_logits_
};

} // namespace ff::engine
