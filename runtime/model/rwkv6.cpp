// RWKV-6 "Finch" (arXiv 2404.05892): seven launches a layer.
//   A  mix_project   low_c = tanh(w1_c^T x_x) for c of w k v r g
//   B  lerp6         x_c = n + (n_previous - n) (maa_c + w2_c^T low_c)
//   C  project       r, k, v = W x_r, W x_k, W x_v;  g = silu(W_g x_g);  low_w = tanh(decay_w1^T x_w)
//   D  wkv6          w = exp(-exp(time_decay + decay_w2^T low_w)), state, group norm, gate -> y
//   E  project_add   x += W_o y
//   F  G             channel mixing (channel_mix.h)
// with x_c = n + (n_previous - n) * maa_c, n = LN(x): here the mixes weigh the previous token.
#include "runtime/kernels/places.h"
#include "runtime/model/channel_mix.h"

#include <fmt/format.h>

namespace ff::model {
namespace {

using kernels::Activation;
using kernels::ActivationKind;
using kernels::Launch;
using kernels::Matrix;

constexpr std::string_view kMixed = "wkvrg"; // the order of time_maa_w1 and time_maa_w2

struct Layer {
    std::uint32_t ln1, mix_x, mixes; // time_maa: x, then w k v r g in a row
    std::uint32_t vectors;           // decay, bonus, ln_x
    std::vector<Matrix> mix_down;    // time_maa_w1, one of w k v r g each: [D, C]
    Matrix mix_up;                   // time_maa_w2 [5 C, D]
    Matrix receptance, key, value, gate, decay_down, decay_up, output;
    ChannelMix channel;
};

class Rwkv6 final : public Architecture {
  public:
    explicit Rwkv6(const loader::ModelDescription &description) : description_(description) {}

    std::uint64_t vector_bytes_per_layer() const override {
        return (2 + 6 + 4 + ChannelMix::kVectors) * kernels::padded_bytes(description_.width);
    }
    std::uint32_t segments_per_layer() const override { return 5 + 5 + ChannelMix::kSegments; }

    void declare_activations(Scratch &scratch) const override {
        for (const char c : kMixed) scratch.declare(low_name(c), description_.rank_mix);
        for (const char c : kMixed) scratch.declare(mixed_name(c), description_.width);
        for (const char *name : {"r", "k", "v", "g", "y"}) scratch.declare(name, description_.width);
        scratch.declare("low_decay", description_.rank_w);
        ChannelMix::declare_activations(scratch, description_);
    }

    Result<void> load_layer(WeightLoader &weights, std::uint32_t index) override;
    Result<void> plan_layer(LayerPlan &plan, std::uint32_t index) const override;

  private:
    static std::string low_name(char c) { return std::string("low_") + c; }
    static std::string mixed_name(char c) { return std::string("x_") + c; }

    loader::ModelDescription description_;
    std::vector<Layer> layers_;
};

Result<void> Rwkv6::load_layer(WeightLoader &weights, std::uint32_t index) {
    const auto tensor = [&](std::string_view name) { return fmt::format("blocks.{}.{}", index, name); };
    Layer layer{};
    FF_TRY_ASSIGN(layer.ln1, weights.norm(tensor("ln1")));
    FF_TRY_ASSIGN(layer.mix_x, weights.vector(tensor("att.time_maa_x")));
    for (const char c : kMixed) {
        FF_TRY_ASSIGN(const std::uint32_t at, weights.vector(tensor(std::string("att.time_maa_") + c)));
        if (c == kMixed.front()) layer.mixes = at;
    }
    FF_TRY_ASSIGN(layer.vectors, weights.vector(tensor("att.time_decay")));
    FF_TRY(weights.vector(tensor("att.time_faaaa")));
    FF_TRY(weights.norm(tensor("att.ln_x")));

    std::vector<MatrixRequest> mix;
    for (std::uint32_t i = 0; i < 5; ++i) mix.push_back({tensor("att.time_maa_w1"), Stored::input_major, i, 5});
    const std::vector<MatrixRequest> time = {{tensor("att.receptance.weight")},
                                             {tensor("att.key.weight")},
                                             {tensor("att.value.weight")},
                                             {tensor("att.gate.weight")},
                                             {tensor("att.time_decay_w1"), Stored::input_major}};
    FF_TRY_ASSIGN(layer.mix_down, weights.matrices(mix));
    FF_TRY_ASSIGN(layer.mix_up, weights.matrix({tensor("att.time_maa_w2"), Stored::input_batches}));
    FF_TRY_ASSIGN(std::vector<Matrix> time_mix, weights.matrices(time));
    FF_TRY_ASSIGN(layer.decay_up, weights.matrix({tensor("att.time_decay_w2"), Stored::input_major}));
    layer.receptance = std::move(time_mix[0]);
    layer.key = std::move(time_mix[1]);
    layer.value = std::move(time_mix[2]);
    layer.gate = std::move(time_mix[3]);
    layer.decay_down = std::move(time_mix[4]);
    FF_TRY_ASSIGN(layer.output, weights.matrix({tensor("att.output.weight")}));
    FF_TRY_ASSIGN(layer.channel, ChannelMix::load(weights, index, "time_maa_"));
    layers_.push_back(std::move(layer));
    return {};
}

Result<void> Rwkv6::plan_layer(LayerPlan &plan, std::uint32_t index) const {
    const Layer &layer = layers_[index];
    const Activation x = plan.get("x"), r = plan.get("r"), k = plan.get("k"), v = plan.get("v"), g = plan.get("g"),
                     y = plan.get("y"), low_decay = plan.get("low_decay");
    std::array<Activation, 5> low, mixed; // w k v r g
    for (std::size_t i = 0; i < 5; ++i) {
        low[i] = plan.get(low_name(kMixed[i]));
        mixed[i] = plan.get(mixed_name(kMixed[i]));
    }

    std::vector<kernels::MixSegment> downs;
    for (std::size_t i = 0; i < 5; ++i)
        downs.push_back({&layer.mix_down[i], layer.mix_x, ActivationKind::tanh, low[i]});
    FF_TRY(plan.mix_project("ln1", layer.ln1, "att_x", std::move(downs)));
    kernels::Lerp6Arguments lerp;
    lerp.x = x;
    lerp.norm_at = layer.ln1;
    lerp.mixes_at = layer.mixes;
    lerp.up = &layer.mix_up;
    lerp.low = low;
    lerp.mixed = mixed;
    FF_TRY(plan.lerp6(std::move(lerp)));
    FF_TRY(plan.project({{&layer.receptance, mixed[3], ActivationKind::none, r},
                         {&layer.key, mixed[1], ActivationKind::none, k},
                         {&layer.value, mixed[2], ActivationKind::none, v},
                         {&layer.gate, mixed[4], ActivationKind::silu, g},
                         {&layer.decay_down, mixed[0], ActivationKind::tanh, low_decay}}));
    kernels::Wkv6Arguments wkv;
    wkv.heads = description_.heads;
    wkv.head_size = description_.head_size;
    wkv.r = r;
    wkv.k = k;
    wkv.v = v;
    wkv.gate = g;
    wkv.y = y;
    wkv.low_w = low_decay;
    wkv.up_w = &layer.decay_up;
    wkv.vectors_at = layer.vectors;
    wkv.vector_stride = 2 * kernels::groups_for(description_.width);
    FF_TRY(plan.wkv6(std::move(wkv)));
    FF_TRY(plan.project_add(layer.output, y));
    return layer.channel.plan(plan);
}

} // namespace

Result<std::unique_ptr<Architecture>> make_rwkv6(const loader::ModelDescription &description) {
    return std::unique_ptr<Architecture>(std::make_unique<Rwkv6>(description));
}

} // namespace ff::model
