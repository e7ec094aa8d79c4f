// The launches of one layer, in the words of the papers. A version says once what its layer does; a decode step and a
// wide step make different launches of it.
#pragma once

#include "runtime/kernels/launches.h"
#include "runtime/model/architecture.h"

namespace ff::model {

class LayerPlan {
  public:
    // For a step of `context.step.rows` rows; layer -1 is what comes before the layers.
    static std::unique_ptr<LayerPlan> create(const LayerContext &context, std::int32_t layer);
    virtual ~LayerPlan() = default;

    kernels::Activation get(const std::string &name) const { return context_.scratch->get(name); }

    // With n = LN(x) and x_c = n + (kept - n) * mu_c: result_c = activation(W_c x_c); n becomes `kept`. `norm` is "ln1"
    // with "att_x", or "ln2" with "ffn_x".
    virtual Result<void> mix_project(const char *norm, std::uint32_t norm_at, const char *kept,
                                     std::vector<kernels::MixSegment> segments) = 0;
    // x += gate * (matrix * input); no gate where it is empty.
    virtual Result<void> project_add(const kernels::Matrix &matrix, const kernels::Activation &input,
                                     const kernels::Activation &gate = {}) = 0;
    // The same of a matrix kept by input, whose input is mostly zero.
    Result<void> sparse_value(const kernels::Matrix &matrix, const kernels::Activation &input,
                              const kernels::Activation &gate = {});
    virtual Result<void> project(std::vector<kernels::ProjectSegment> segments) = 0;
    // Of these arguments the plan sets variant, layer and state.
    virtual Result<void> wkv4(kernels::Wkv4Arguments arguments) = 0; // with its output matrix: x += W_o (r * wkv)
    virtual Result<void> wkv5(kernels::Wkv6Arguments arguments) = 0;
    virtual Result<void> wkv6(kernels::Wkv6Arguments arguments) = 0;
    virtual Result<void> wkv7(kernels::Wkv7Arguments arguments) = 0;
    virtual Result<void> lerp6(kernels::Lerp6Arguments arguments) = 0;
    virtual Result<void> deep_embed(kernels::DeepEmbedArguments arguments) = 0;

    std::vector<kernels::Launch> take() { return std::move(launches_); }

  protected:
    LayerPlan(const LayerContext &context, std::int32_t layer);

    const kernels::StepBuffers &step() const { return context_.step; }
    std::int32_t number() const { return layer_; }
    std::uint32_t width() const { return context_.width; }
    const kernels::LayerState &state() const { return state_; }
    std::uint64_t state_offset(std::string_view part) const { return context_.states->layout().part(part).offset; }
    std::string norm_name(const char *norm) const;
    void append(kernels::Launch launch) { launches_.push_back(std::move(launch)); }
    void append(std::vector<kernels::Launch> launches);

  private:
    const LayerContext &context_;
    std::int32_t layer_;
    kernels::LayerState state_;
    std::vector<kernels::Launch> launches_;
};

std::unique_ptr<LayerPlan> make_decode_layer(const LayerContext &context, std::int32_t layer);
std::unique_ptr<LayerPlan> make_wide_layer(const LayerContext &context, std::int32_t layer);
// Scratch that wide steps need beside what a version declares: mixed inputs, and products of low-rank pairs.
void declare_wide(Scratch &scratch, const loader::ModelDescription &description);

} // namespace ff::model
