#include "runtime/model/channel_mix.h"

#include <fmt/format.h>

namespace ff::model {

using kernels::ActivationKind;

void ChannelMix::declare_activations(Scratch &scratch, const loader::ModelDescription &description) {
    scratch.declare("gate", description.width);
    scratch.declare("h", description.ffn_width);
}

Result<ChannelMix> ChannelMix::load(WeightLoader &weights, std::uint32_t layer, std::string_view mixes,
                                    const std::function<double(double)> &transform) {
    const auto tensor = [&](std::string_view name) { return fmt::format("blocks.{}.{}", layer, name); };
    ChannelMix mix{};
    FF_TRY_ASSIGN(mix.ln2, weights.norm(tensor("ln2")));
    FF_TRY_ASSIGN(mix.mix_k, weights.vector(tensor(fmt::format("ffn.{}k", mixes)), transform));
    FF_TRY_ASSIGN(mix.mix_r, weights.vector(tensor(fmt::format("ffn.{}r", mixes)), transform));
    const std::vector<MatrixRequest> neighbours = {{tensor("ffn.key.weight")}, {tensor("ffn.receptance.weight")}};
    FF_TRY_ASSIGN(std::vector<kernels::Matrix> matrices, weights.matrices(neighbours));
    mix.key = std::move(matrices[0]);
    mix.receptance = std::move(matrices[1]);
    FF_TRY_ASSIGN(mix.value, weights.matrix({.name = tensor("ffn.value.weight"), .by_input = true}));
    return mix;
}

Result<void> ChannelMix::plan(LayerPlan &plan) const {
    FF_TRY(plan.mix_project("ln2", ln2, "ffn_x",
                            {{&key, mix_k, ActivationKind::relu_squared, plan.get("h")},
                             {&receptance, mix_r, ActivationKind::sigmoid, plan.get("gate")}}));
    return plan.sparse_value(value, plan.get("h"), plan.get("gate"));
}

} // namespace ff::model
