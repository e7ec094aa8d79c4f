// The launches of one layer, in the words of the papers: what all versions share of building them.
#pragma once

#include "runtime/kernels/launches.h"
#include "runtime/model/architecture.h"

namespace ff::model {

class LayerPlan {
  public:
    LayerPlan(const LayerContext &context, std::uint32_t layer)
        : context_(context), layer_(layer), state_(context.states->layer(layer)) {}

    const kernels::StepBuffers &step() const { return context_.step; }
    std::int32_t number() const { return static_cast<std::int32_t>(layer_); }
    kernels::Activation get(const std::string &name) const { return context_.scratch->get(name); }
    const kernels::LayerState &state() const { return state_; }
    std::uint64_t state_offset(std::string_view part) const { return context_.states->layout().part(part).offset; }
    const kernels::Variant *variant(const char *kernel, const kernels::Matrix &matrix) const {
        return &kernels::variant_for(kernel, matrix.type, *context_.step.traits);
    }

    // With n = LN(x) and x_c = n + (kept - n) * mu_c: result_c = activation(W_c x_c); n becomes `kept`. `norm` is "ln1"
    // with "att_x", or "ln2" with "ffn_x".
    Result<void> mix_project(const char *norm, std::uint32_t norm_at, const char *kept,
                             std::vector<kernels::MixSegment> segments);
    // x += gate * (matrix * input); no gate where it is empty.
    void project_add(const kernels::Matrix &matrix, const kernels::Activation &input,
                     const kernels::Activation &gate = {});

    void append(kernels::Launch launch) { launches_.push_back(std::move(launch)); }
    void append(std::vector<kernels::Launch> launches);
    std::vector<kernels::Launch> take() { return std::move(launches_); }

  private:
    const LayerContext &context_;
    std::uint32_t layer_;
    kernels::LayerState state_;
    std::vector<kernels::Launch> launches_;
};

} // namespace ff::model
