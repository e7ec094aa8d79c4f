// RWKV-5 "Eagle" (arXiv 2404.05892): five launches a layer.
//   A  mix_project   r, k, v = W x_r, W x_k, W x_v;  g = silu(W_g x_g), from 5.1 on
//   B  wkv5          out = r (diag(u) k^T v + S), S' = diag(w) S + k^T v, group norm, gate -> y
//   C  project_add   x += W_o y
//   D  mix_project   h = relu(W_k x_k)^2;  gate = sigmoid(W_r x_r)
//   E  project_add   x += gate * (W_v h)
// with x_c = n * mu_c + n_previous * (1 - mu_c), n = LN(x). Gate, shape of the decay (one a head or a channel) and name
// of the bonus (time_first is an exponent, time_faaaa the value itself) are three separate properties of a checkpoint.
#include "runtime/kernels/launches.h"
#include "runtime/kernels/places.h"
#include "runtime/model/architecture.h"

#include <cmath>
#include <fmt/format.h>

namespace ff::model {
namespace {

using kernels::Activation;
using kernels::ActivationKind;
using kernels::Launch;
using kernels::Matrix;

struct Layer {
    std::uint32_t ln1, ln2; // weight, then bias
    std::uint32_t mix_r, mix_k, mix_v, mix_g, ffn_mix_k, ffn_mix_r;
    std::uint32_t vectors; // decay, bonus, ln_x
    Matrix receptance, key, value, output;
    std::optional<Matrix> gate;
    Matrix ffn_key, ffn_receptance, ffn_value;
};

double previous_weight(double mix) {
    return 1.0 - mix;
}
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
        return (4 + 6 + 4) * kernels::padded_bytes(description_.width);
    }
    std::uint32_t segments_per_layer() const override { return 6; }

    void declare_activations(Scratch &scratch) const override {
        for (const char *name : {"r", "k", "v", "g", "y", "gate"}) scratch.declare(name, description_.width);
        scratch.declare("h", description_.ffn_width);
    }

    Result<void> load_layer(WeightLoader &weights, std::uint32_t index) override;
    Result<std::vector<Launch>> plan_layer(const LayerContext &context, std::uint32_t index) const override;

  private:
    loader::ModelDescription description_;
    std::vector<Layer> layers_;
};

Result<void> Rwkv5::load_layer(WeightLoader &weights, std::uint32_t index) {
    const auto tensor = [&](std::string_view name) { return fmt::format("blocks.{}.{}", index, name); };
    Layer layer{};
    FF_TRY_ASSIGN(layer.ln1, weights.vector(tensor("ln1.weight")));
    FF_TRY(weights.vector(tensor("ln1.bias")));
    FF_TRY_ASSIGN(layer.ln2, weights.vector(tensor("ln2.weight")));
    FF_TRY(weights.vector(tensor("ln2.bias")));
    FF_TRY_ASSIGN(layer.mix_r, weights.vector(tensor("att.time_mix_r"), previous_weight));
    FF_TRY_ASSIGN(layer.mix_k, weights.vector(tensor("att.time_mix_k"), previous_weight));
    FF_TRY_ASSIGN(layer.mix_v, weights.vector(tensor("att.time_mix_v"), previous_weight));
    if (description_.gate) {
        FF_TRY_ASSIGN(layer.mix_g, weights.vector(tensor("att.time_mix_g"), previous_weight));
    }
    FF_TRY_ASSIGN(layer.ffn_mix_k, weights.vector(tensor("ffn.time_mix_k"), previous_weight));
    FF_TRY_ASSIGN(layer.ffn_mix_r, weights.vector(tensor("ffn.time_mix_r"), previous_weight));

    // The kernel takes decay and bonus for each channel.
    const bool per_channel = description_.version == loader::Version::v5_2;
    const std::uint32_t repeat = per_channel ? 1 : description_.head_size;
    FF_TRY_ASSIGN(layer.vectors, weights.vector_of_heads(tensor("att.time_decay"), repeat, decay));
    if (description_.exponential_bonus)
        FF_TRY(weights.vector_of_heads(tensor("att.time_first"), repeat, exponential));
    else
        FF_TRY(weights.vector_of_heads(tensor("att.time_faaaa"), repeat));
    FF_TRY(weights.vector(tensor("att.ln_x.weight")));
    FF_TRY(weights.vector(tensor("att.ln_x.bias")));

    std::vector<MatrixRequest> time = {
        {tensor("att.receptance.weight")}, {tensor("att.key.weight")}, {tensor("att.value.weight")}};
    if (description_.gate) time.push_back({tensor("att.gate.weight")});
    const std::vector<MatrixRequest> channel = {{tensor("ffn.key.weight")}, {tensor("ffn.receptance.weight")}};
    FF_TRY_ASSIGN(std::vector<Matrix> time_mix, weights.matrices(time));
    FF_TRY_ASSIGN(std::vector<Matrix> channel_mix, weights.matrices(channel));
    layer.receptance = std::move(time_mix[0]);
    layer.key = std::move(time_mix[1]);
    layer.value = std::move(time_mix[2]);
    if (description_.gate) layer.gate = std::move(time_mix[3]);
    layer.ffn_key = std::move(channel_mix[0]);
    layer.ffn_receptance = std::move(channel_mix[1]);
    FF_TRY_ASSIGN(layer.output, weights.matrix({tensor("att.output.weight")}));
    FF_TRY_ASSIGN(layer.ffn_value, weights.matrix({tensor("ffn.value.weight")}));
    layers_.push_back(std::move(layer));
    return {};
}

Result<std::vector<Launch>> Rwkv5::plan_layer(const LayerContext &context, std::uint32_t index) const {
    const Layer &layer = layers_[index];
    const auto number = static_cast<std::int32_t>(index);
    const kernels::StepBuffers &step = context.step;
    const kernels::LayerState state = context.states->layer(index);
    const StateLayout &layout = context.states->layout();
    const auto get = [&](const char *name) { return context.scratch->get(name); };
    const Activation x = get("x"), r = get("r"), k = get("k"), v = get("v"), y = get("y"), gate = get("gate"),
                     h = get("h");
    const Activation g = layer.gate ? get("g") : Activation{};
    const auto variant = [&](const char *kernel, const Matrix &matrix) {
        return &kernels::variant_for(kernel, matrix.type, *step.traits);
    };

    std::vector<kernels::MixSegment> segments = {{&layer.receptance, layer.mix_r, ActivationKind::none, r},
                                                 {&layer.key, layer.mix_k, ActivationKind::none, k},
                                                 {&layer.value, layer.mix_v, ActivationKind::none, v}};
    if (layer.gate) segments.push_back({&*layer.gate, layer.mix_g, ActivationKind::silu, g});

    std::vector<Launch> launches;
    const auto append = [&](std::vector<Launch> more) {
        std::move(more.begin(), more.end(), std::back_inserter(launches));
    };
    FF_TRY_ASSIGN(std::vector<Launch> a,
                  kernels::mix_project(step, {.variant = variant("mix_project", layer.receptance),
                                              .layer = number,
                                              .x = x,
                                              .norm_at = layer.ln1,
                                              .norm_name = fmt::format("blocks.{}.ln1", index),
                                              .state = state,
                                              .kept_offset = layout.part("att_x").offset,
                                              .kept_name = "att_x",
                                              .segments = std::move(segments)}));
    append(std::move(a));
    FF_TRY_ASSIGN(Launch b, kernels::wkv6(step, {.variant = &kernels::variant_for("wkv5", *step.traits),
                                                 .layer = number,
                                                 .heads = description_.heads,
                                                 .head_size = description_.head_size,
                                                 .r = r,
                                                 .k = k,
                                                 .v = v,
                                                 .gate = g,
                                                 .y = y,
                                                 .low_w = {},
                                                 .up_w = nullptr,
                                                 .vectors_at = layer.vectors,
                                                 .vector_stride = 2 * kernels::groups_for(description_.width),
                                                 .state = state,
                                                 .wkv_offset = layout.part("wkv").offset}));
    launches.push_back(std::move(b));
    append(kernels::project_add(step, {.variant = variant("project_add", layer.output),
                                       .layer = number,
                                       .matrix = &layer.output,
                                       .input = y,
                                       .gate = {},
                                       .x = x}));
    FF_TRY_ASSIGN(std::vector<Launch> d,
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
    append(std::move(d));
    append(kernels::project_add(step, {.variant = variant("project_add", layer.ffn_value),
                                       .layer = number,
                                       .matrix = &layer.ffn_value,
                                       .input = h,
                                       .gate = gate,
                                       .x = x}));
    return launches;
}

} // namespace

Result<std::unique_ptr<Architecture>> make_rwkv5(const loader::ModelDescription &description) {
    return std::unique_ptr<Architecture>(std::make_unique<Rwkv5>(description));
}

} // namespace ff::model
