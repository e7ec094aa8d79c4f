// RWKV-4 "Dove" (arXiv 2305.13048): four launches a layer.
//   A  mix_project        r = sigmoid(W_r x_r);  k, v = W_k x_k, W_v x_v
//   B  wkv4_project_add   x += W_o (r * wkv)
//   C  D                  channel mixing (channel_mix.h)
// with x_c = n * mu_c + n_previous * (1 - mu_c), n = LN(x). The kernels weigh the previous token, so 1 - mu_c is kept.
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
    std::uint32_t ln1, mix_k, mix_v, mix_r;
    std::uint32_t decay; // -exp(time_decay), then time_first
    Matrix receptance, key, value, output;
    ChannelMix channel;
};

double log_decay(double time_decay) {
    return -std::exp(time_decay);
}

class Rwkv4 final : public Architecture {
  public:
    explicit Rwkv4(const loader::ModelDescription &description) : description_(description) {}

    std::uint64_t vector_bytes_per_layer() const override {
        return (2 + 3 + 2 + ChannelMix::kVectors) * kernels::padded_bytes(description_.width);
    }
    std::uint32_t segments_per_layer() const override { return 3 + ChannelMix::kSegments; }

    void declare_activations(Scratch &scratch) const override {
        for (const char *name : {"r", "k", "v"}) scratch.declare(name, description_.width);
        ChannelMix::declare_activations(scratch, description_);
    }

    Result<void> load_layer(WeightLoader &weights, std::uint32_t index) override {
        const auto tensor = [&](std::string_view name) { return fmt::format("blocks.{}.{}", index, name); };
        Layer layer{};
        FF_TRY_ASSIGN(layer.ln1, weights.norm(tensor("ln1")));
        FF_TRY_ASSIGN(layer.mix_k, weights.vector(tensor("att.time_mix_k"), previous_weight));
        FF_TRY_ASSIGN(layer.mix_v, weights.vector(tensor("att.time_mix_v"), previous_weight));
        FF_TRY_ASSIGN(layer.mix_r, weights.vector(tensor("att.time_mix_r"), previous_weight));
        FF_TRY_ASSIGN(layer.decay, weights.vector(tensor("att.time_decay"), log_decay));
        FF_TRY(weights.vector(tensor("att.time_first")));
        const std::vector<MatrixRequest> neighbours = {
            {tensor("att.receptance.weight")}, {tensor("att.key.weight")}, {tensor("att.value.weight")}};
        FF_TRY_ASSIGN(std::vector<Matrix> matrices, weights.matrices(neighbours));
        layer.receptance = std::move(matrices[0]);
        layer.key = std::move(matrices[1]);
        layer.value = std::move(matrices[2]);
        FF_TRY_ASSIGN(layer.output, weights.matrix({tensor("att.output.weight")}));
        FF_TRY_ASSIGN(layer.channel, ChannelMix::load(weights, index, "time_mix_", previous_weight));
        layers_.push_back(std::move(layer));
        return {};
    }

    Result<void> plan_layer(LayerPlan &plan, std::uint32_t index) const override {
        const Layer &layer = layers_[index];
        const Activation r = plan.get("r"), k = plan.get("k"), v = plan.get("v");
        FF_TRY(plan.mix_project("ln1", layer.ln1, "att_x",
                                {{&layer.receptance, layer.mix_r, ActivationKind::sigmoid, r},
                                 {&layer.key, layer.mix_k, ActivationKind::none, k},
                                 {&layer.value, layer.mix_v, ActivationKind::none, v}}));
        kernels::Wkv4Arguments wkv;
        wkv.output = &layer.output;
        wkv.decay_at = layer.decay;
        wkv.r = r;
        wkv.k = k;
        wkv.v = v;
        wkv.x = plan.get("x");
        FF_TRY(plan.wkv4(std::move(wkv)));
        return layer.channel.plan(plan);
    }

  private:
    loader::ModelDescription description_;
    std::vector<Layer> layers_;
};

} // namespace

Result<std::unique_ptr<Architecture>> make_rwkv4(const loader::ModelDescription &description) {
    return std::unique_ptr<Architecture>(std::make_unique<Rwkv4>(description));
}

} // namespace ff::model
