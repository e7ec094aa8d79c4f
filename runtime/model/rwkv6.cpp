// RWKV-6 "Finch" (arXiv 2404.05892): seven launches a layer.
//   A  mix_project   low_c = tanh(w1_c^T x_x) for c of w k v r g
//   B  lerp6         x_c = n + (n_previous - n) (maa_c + w2_c^T low_c)
//   C  project       r, k, v = W x_r, W x_k, W x_v;  g = silu(W_g x_g);  low_w = tanh(decay_w1^T x_w)
//   D  wkv6          w = exp(-exp(time_decay + decay_w2^T low_w)), state, group norm, gate -> y
//   E  project_add   x += W_o y
//   F  mix_project   h = relu(W_k x_k)^2;  gate = sigmoid(W_r x_r)
//   G  project_add   x += gate * (W_v h)
// with x_c = n + (n_previous - n) * maa_c, n = LN(x): here the mixes weigh the previous token.
#include "runtime/kernels/launches.h"
#include "runtime/kernels/places.h"
#include "runtime/model/architecture.h"

#include <fmt/format.h>

namespace ff::model {
namespace {

using kernels::Activation;
using kernels::ActivationKind;
using kernels::Launch;
using kernels::Matrix;

constexpr std::string_view kMixed = "wkvrg"; // the order of time_maa_w1 and time_maa_w2

struct Layer {
    std::uint32_t ln1, ln2;                           // weight, then bias
    std::uint32_t mix_x, mixes, ffn_mix_k, ffn_mix_r; // time_maa: x, then w k v r g in a row
    std::uint32_t vectors;                            // decay, bonus, ln_x
    std::vector<Matrix> mix_down;                     // time_maa_w1, one of w k v r g each: [D, C]
    Matrix mix_up;                                    // time_maa_w2 [5 C, D]
    Matrix receptance, key, value, gate, decay_down, decay_up, output;
    Matrix ffn_key, ffn_receptance, ffn_value;
};

class Rwkv6 final : public Architecture {
  public:
    explicit Rwkv6(const loader::ModelDescription &description) : description_(description) {}

    std::uint64_t vector_bytes_per_layer() const override {
        return (4 + 8 + 4) * kernels::padded_bytes(description_.width);
    }
    std::uint32_t segments_per_layer() const override { return 5 + 5 + 2; }

    void declare_activations(Scratch &scratch) const override {
        for (const char c : kMixed) scratch.declare(low_name(c), description_.rank_mix);
        for (const char c : kMixed) scratch.declare(mixed_name(c), description_.width);
        for (const char *name : {"r", "k", "v", "g", "y", "gate"}) scratch.declare(name, description_.width);
        scratch.declare("low_decay", description_.rank_w);
        scratch.declare("h", description_.ffn_width);
    }

    Result<void> load_layer(WeightLoader &weights, std::uint32_t index) override;
    Result<std::vector<Launch>> plan_layer(const LayerContext &context, std::uint32_t index) const override;

  private:
    static std::string low_name(char c) { return std::string("low_") + c; }
    static std::string mixed_name(char c) { return std::string("x_") + c; }

    loader::ModelDescription description_;
    std::vector<Layer> layers_;
};

Result<void> Rwkv6::load_layer(WeightLoader &weights, std::uint32_t index) {
    const auto tensor = [&](std::string_view name) { return fmt::format("blocks.{}.{}", index, name); };
    Layer layer{};
    FF_TRY_ASSIGN(layer.ln1, weights.vector(tensor("ln1.weight")));
    FF_TRY(weights.vector(tensor("ln1.bias")));
    FF_TRY_ASSIGN(layer.ln2, weights.vector(tensor("ln2.weight")));
    FF_TRY(weights.vector(tensor("ln2.bias")));
    FF_TRY_ASSIGN(layer.mix_x, weights.vector(tensor("att.time_maa_x")));
    for (const char c : kMixed) {
        FF_TRY_ASSIGN(const std::uint32_t at, weights.vector(tensor(std::string("att.time_maa_") + c)));
        if (c == kMixed.front()) layer.mixes = at;
    }
    FF_TRY_ASSIGN(layer.ffn_mix_k, weights.vector(tensor("ffn.time_maa_k")));
    FF_TRY_ASSIGN(layer.ffn_mix_r, weights.vector(tensor("ffn.time_maa_r")));
    FF_TRY_ASSIGN(layer.vectors, weights.vector(tensor("att.time_decay")));
    FF_TRY(weights.vector(tensor("att.time_faaaa")));
    FF_TRY(weights.vector(tensor("att.ln_x.weight")));
    FF_TRY(weights.vector(tensor("att.ln_x.bias")));

    std::vector<MatrixRequest> mix;
    for (std::uint32_t i = 0; i < 5; ++i) mix.push_back({tensor("att.time_maa_w1"), Stored::input_major, i, 5});
    const std::vector<MatrixRequest> time = {{tensor("att.receptance.weight")},
                                             {tensor("att.key.weight")},
                                             {tensor("att.value.weight")},
                                             {tensor("att.gate.weight")},
                                             {tensor("att.time_decay_w1"), Stored::input_major}};
    const std::vector<MatrixRequest> channel = {{tensor("ffn.key.weight")}, {tensor("ffn.receptance.weight")}};
    FF_TRY_ASSIGN(layer.mix_down, weights.matrices(mix));
    FF_TRY_ASSIGN(layer.mix_up, weights.matrix({tensor("att.time_maa_w2"), Stored::input_batches}));
    FF_TRY_ASSIGN(std::vector<Matrix> time_mix, weights.matrices(time));
    FF_TRY_ASSIGN(layer.decay_up, weights.matrix({tensor("att.time_decay_w2"), Stored::input_major}));
    FF_TRY_ASSIGN(std::vector<Matrix> channel_mix, weights.matrices(channel));
    layer.receptance = std::move(time_mix[0]);
    layer.key = std::move(time_mix[1]);
    layer.value = std::move(time_mix[2]);
    layer.gate = std::move(time_mix[3]);
    layer.decay_down = std::move(time_mix[4]);
    layer.ffn_key = std::move(channel_mix[0]);
    layer.ffn_receptance = std::move(channel_mix[1]);
    FF_TRY_ASSIGN(layer.output, weights.matrix({tensor("att.output.weight")}));
    FF_TRY_ASSIGN(layer.ffn_value, weights.matrix({tensor("ffn.value.weight")}));
    layers_.push_back(std::move(layer));
    return {};
}

Result<std::vector<Launch>> Rwkv6::plan_layer(const LayerContext &context, std::uint32_t index) const {
    const Layer &layer = layers_[index];
    const auto number = static_cast<std::int32_t>(index);
    const kernels::StepBuffers &step = context.step;
    const kernels::LayerState state = context.states->layer(index);
    const StateLayout &layout = context.states->layout();
    const auto get = [&](const std::string &name) { return context.scratch->get(name); };
    const Activation x = get("x"), r = get("r"), k = get("k"), v = get("v"), g = get("g"), y = get("y"),
                     gate = get("gate"), h = get("h"), low_decay = get("low_decay");
    std::array<Activation, 5> low, mixed; // w k v r g
    for (std::size_t i = 0; i < 5; ++i) {
        low[i] = get(low_name(kMixed[i]));
        mixed[i] = get(mixed_name(kMixed[i]));
    }
    const auto variant = [&](const char *kernel, const Matrix &matrix) {
        return &kernels::variant_for(kernel, matrix.type, *step.traits);
    };

    std::vector<kernels::MixSegment> downs;
    for (std::size_t i = 0; i < 5; ++i)
        downs.push_back({&layer.mix_down[i], layer.mix_x, ActivationKind::tanh, low[i]});

    std::vector<Launch> launches;
    const auto append = [&](std::vector<Launch> more) {
        std::move(more.begin(), more.end(), std::back_inserter(launches));
    };
    FF_TRY_ASSIGN(std::vector<Launch> a,
                  kernels::mix_project(step, {.variant = variant("mix_project", layer.mix_down.front()),
                                              .layer = number,
                                              .x = x,
                                              .norm_at = layer.ln1,
                                              .norm_name = fmt::format("blocks.{}.ln1", index),
                                              .state = state,
                                              .kept_offset = layout.part("att_x").offset,
                                              .kept_name = "att_x",
                                              .segments = std::move(downs)}));
    append(std::move(a));
    FF_TRY_ASSIGN(Launch b, kernels::lerp6(step, {.variant = variant("lerp6", layer.mix_up),
                                                  .layer = number,
                                                  .x = x,
                                                  .norm_at = layer.ln1,
                                                  .mixes_at = layer.mixes,
                                                  .up = &layer.mix_up,
                                                  .low = low,
                                                  .mixed = mixed,
                                                  .state = state,
                                                  .kept_offset = layout.part("att_x").offset}));
    launches.push_back(std::move(b));
    FF_TRY_ASSIGN(
        std::vector<Launch> c,
        kernels::project(step, {.variant = variant("project", layer.receptance),
                                .layer = number,
                                .segments = {{&layer.receptance, mixed[3], ActivationKind::none, r},
                                             {&layer.key, mixed[1], ActivationKind::none, k},
                                             {&layer.value, mixed[2], ActivationKind::none, v},
                                             {&layer.gate, mixed[4], ActivationKind::silu, g},
                                             {&layer.decay_down, mixed[0], ActivationKind::tanh, low_decay}}}));
    append(std::move(c));
    FF_TRY_ASSIGN(Launch d, kernels::wkv6(step, {.variant = variant("wkv6", layer.decay_up),
                                                 .layer = number,
                                                 .heads = description_.heads,
                                                 .head_size = description_.head_size,
                                                 .r = r,
                                                 .k = k,
                                                 .v = v,
                                                 .gate = g,
                                                 .y = y,
                                                 .low_w = low_decay,
                                                 .up_w = &layer.decay_up,
                                                 .vectors_at = layer.vectors,
                                                 .vector_stride = 2 * kernels::groups_for(description_.width),
                                                 .state = state,
                                                 .wkv_offset = layout.part("wkv").offset}));
    launches.push_back(std::move(d));
    append(kernels::project_add(step, {.variant = variant("project_add", layer.output),
                                       .layer = number,
                                       .matrix = &layer.output,
                                       .input = y,
                                       .gate = {},
                                       .x = x}));
    FF_TRY_ASSIGN(std::vector<Launch> f,
                  kernels::mix_project(
                      step, {.variant = variant("mix_project", layer.ffn_key),
                             .layer = number,
                             .x = x,
                             .norm_at = layer.ln2,
                             .norm_name = fmt::format("blocks.{}.ln2", index),
                             .state = state,
                             .kept_offset = layout.part("ffn_x").offset,
                             .kept_name = "ffn_x",
                             .segments = {{&layer.ffn_key, layer.ffn_mix_k, ActivationKind::relu_squared, h},
                                          {&layer.ffn_receptance, layer.ffn_mix_r, ActivationKind::sigmoid, gate}}}));
    append(std::move(f));
    append(kernels::project_add(step, {.variant = variant("project_add", layer.ffn_value),
                                       .layer = number,
                                       .matrix = &layer.ffn_value,
                                       .input = h,
                                       .gate = gate,
                                       .x = x}));
    return launches;
}

} // namespace

Result<std::unique_ptr<Architecture>> make_rwkv6(const loader::ModelDescription &description) {
    return std::unique_ptr<Architecture>(std::make_unique<Rwkv6>(description));
}

} // namespace ff::model
