// Channel mixing of RWKV-4 to -6 (arXiv 2305.13048): two launches.
//   h = relu(W_k x_k)^2;  gate = sigmoid(W_r x_r)
//   x += gate * (W_v h)
#pragma once

#include "runtime/model/layer_plan.h"

namespace ff::model {

// Versions 4 and 5 store the weight of the current token, mu; kernels take that of the previous one.
inline double previous_weight(double mix) {
    return 1.0 - mix;
}

struct ChannelMix {
    std::uint32_t ln2, mix_k, mix_r; // places in the parameters
    kernels::Matrix key, receptance, value;

    static constexpr std::uint32_t kVectors = 2 + 2, kSegments = 2;
    static void declare_activations(Scratch &scratch, const loader::ModelDescription &description);
    // `mixes`: "time_mix_" or "time_maa_"; `transform` makes of them the weight of the previous token.
    static Result<ChannelMix> load(WeightLoader &weights, std::uint32_t layer, std::string_view mixes,
                                   const std::function<double(double)> &transform = {});
    Result<void> plan(LayerPlan &plan) const;
};

} // namespace ff::model
