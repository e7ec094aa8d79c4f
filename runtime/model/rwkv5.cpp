// RWKV-5 "Eagle" (arXiv 2404.05892): five launches a layer.
//   A  mix_project   r, k, v = W x_r, W x_k, W x_v;  g = silu(W_g x_g), from 5.1 on
//   B  wkv5          out = r (diag(u) k^T v + S), S' = diag(w) S + k^T v, group norm, gate -> y
//   C  project_add   x += W_o y
//   D  E             channel mixing (channel_mix.h)
// with x_c = n * mu_c + n_previous * (1 - mu_c), n = LN(x). Gate, shape of the decay (one a head or a channel) and name
// of the bonus (time_first is an exponent, time_faaaa the value itself) are three separate properties of a checkpoint.
#include "runtime/kernels/places.h"
#include "runtime/model/channel_mix.h"

#include <cmath>
#include <fmt/format.h>

namespace ff::model {
namespace {

using kernels::Activation;
using kernels::ActivationKind;
using kernels::Launch;
using kernels::Matrix;

struct Layer {
    std::uint32_t ln1, mix_r, mix_k, mix_v, mix_g;
    std::uint32_t vectors; // decay, bonus, ln_x
    Matrix receptance, key, value, output;
    std::optional<Matrix> gate;
    ChannelMix channel;
};

double decay(double time_decay) {
    return std::exp(-std::exp(time_decay));
}
double exponential(double x) {
    return std::exp(x);
}

class Rwkv5 final : public Architecture {
  public:
    explicit Rwkv5(const loader::ModelDescription &description) : description_(description) {}

    std::uint64_t vector_bytes_per_layer() const override {
        return (2 + 4 + 4 + ChannelMix::kVectors) * kernels::padded_bytes(description_.width);
    }
    std::uint32_t segments_per_layer() const override { return 4 + ChannelMix::kSegments; }

    void declare_activations(Scratch &scratch) const override {
        for (const char *name : {"r", "k", "v", "g", "y"}) scratch.declare(name, description_.width);
        ChannelMix::declare_activations(scratch, description_);
    }

    Result<void> load_layer(WeightLoader &weights, std::uint32_t index) override;
    Result<void> plan_layer(LayerPlan &plan, std::uint32_t index) const override;

  private:
    loader::ModelDescription description_;
    std::vector<Layer> layers_;
};

Result<void> Rwkv5::load_layer(WeightLoader &weights, std::uint32_t index) {
    const auto tensor = [&](std::string_view name) { return fmt::format("blocks.{}.{}", index, name); };
    Layer layer{};
    FF_TRY_ASSIGN(layer.ln1, weights.norm(tensor("ln1")));
    FF_TRY_ASSIGN(layer.mix_r, weights.vector(tensor("att.time_mix_r"), previous_weight));
    FF_TRY_ASSIGN(layer.mix_k, weights.vector(tensor("att.time_mix_k"), previous_weight));
    FF_TRY_ASSIGN(layer.mix_v, weights.vector(tensor("att.time_mix_v"), previous_weight));
    if (description_.gate) {
        FF_TRY_ASSIGN(layer.mix_g, weights.vector(tensor("att.time_mix_g"), previous_weight));
    }

    // The kernel takes decay and bonus for each channel.
    const bool per_channel = description_.version == loader::Version::v5_2;
    const std::uint32_t repeat = per_channel ? 1 : description_.head_size;
    FF_TRY_ASSIGN(layer.vectors, weights.vector_of_heads(tensor("att.time_decay"), repeat, decay));
    if (description_.exponential_bonus)
        FF_TRY(weights.vector_of_heads(tensor("att.time_first"), repeat, exponential));
    else
        FF_TRY(weights.vector_of_heads(tensor("att.time_faaaa"), repeat));
    FF_TRY(weights.norm(tensor("att.ln_x")));

    std::vector<MatrixRequest> neighbours = {
        {tensor("att.receptance.weight")}, {tensor("att.key.weight")}, {tensor("att.value.weight")}};
    if (description_.gate) neighbours.push_back({tensor("att.gate.weight")});
    FF_TRY_ASSIGN(std::vector<Matrix> matrices, weights.matrices(neighbours));
    layer.receptance = std::move(matrices[0]);
    layer.key = std::move(matrices[1]);
    layer.value = std::move(matrices[2]);
    if (description_.gate) layer.gate = std::move(matrices[3]);
    FF_TRY_ASSIGN(layer.output, weights.matrix({tensor("att.output.weight")}));
    FF_TRY_ASSIGN(layer.channel, ChannelMix::load(weights, index, "time_mix_", previous_weight));
    layers_.push_back(std::move(layer));
    return {};
}

Result<void> Rwkv5::plan_layer(LayerPlan &plan, std::uint32_t index) const {
    const Layer &layer = layers_[index];
    const Activation r = plan.get("r"), k = plan.get("k"), v = plan.get("v"), y = plan.get("y");
    const Activation g = layer.gate ? plan.get("g") : Activation{};

    std::vector<kernels::MixSegment> segments = {{&layer.receptance, layer.mix_r, ActivationKind::none, r},
                                                 {&layer.key, layer.mix_k, ActivationKind::none, k},
                                                 {&layer.value, layer.mix_v, ActivationKind::none, v}};
    if (layer.gate) segments.push_back({&*layer.gate, layer.mix_g, ActivationKind::silu, g});
    FF_TRY(plan.mix_project("ln1", layer.ln1, "att_x", std::move(segments)));

    kernels::Wkv6Arguments wkv;
    wkv.heads = description_.heads;
    wkv.head_size = description_.head_size;
    wkv.r = r;
    wkv.k = k;
    wkv.v = v;
    wkv.gate = g;
    wkv.y = y;
    wkv.vectors_at = layer.vectors;
    wkv.vector_stride = 2 * kernels::groups_for(description_.width);
    FF_TRY(plan.wkv5(std::move(wkv)));
    FF_TRY(plan.project_add(layer.output, y));
    return layer.channel.plan(plan);
}

} // namespace

Result<std::unique_ptr<Architecture>> make_rwkv5(const loader::ModelDescription &description) {
    return std::unique_ptr<Architecture>(std::make_unique<Rwkv5>(description));
}

} // namespace ff::model
