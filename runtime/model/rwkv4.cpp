// RWKV-4 "Dove" (arXiv 2305.13048): four launches a layer.
//   A  mix_project        r = sigmoid(W_r x_r);  k, v = W_k x_k, W_v x_v
//   B  wkv4_project_add   x += W_o (r * wkv)
//   C  mix_project        h = relu(W_k x_k)^2;  gate = sigmoid(W_r x_r)
//   D  project_add        x += gate * (W_v h)
// with x_c = n * mu_c + n_previous * (1 - mu_c), n = LN(x). The kernels weigh the previous token, so 1 - mu_c is kept.
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
    std::uint32_t mix_k, mix_v, mix_r, ffn_mix_k, ffn_mix_r;
    std::uint32_t decay; // -exp(time_decay), then time_first
    Matrix receptance, key, value, output;
    Matrix ffn_key, ffn_receptance, ffn_value;
};

double previous_weight(double mix) {
    return 1.0 - mix;
}
double log_decay(double time_decay) {
    return -std::exp(time_decay);
}

class Rwkv4 final : public Architecture {
  public:
    explicit Rwkv4(const loader::ModelDescription &description) : description_(description) {}

    std::uint64_t vector_bytes_per_layer() const override {
        return (4 + 5 + 2) * kernels::padded_bytes(description_.width);
    }
    std::uint32_t segments_per_layer() const override { return 5; }

    void declare_activations(Scratch &scratch) const override {
        for (const char *name : {"r", "k", "v", "gate"}) scratch.declare(name, description_.width);
        scratch.declare("h", description_.ffn_width);
    }

    Result<void> load_layer(WeightLoader &weights, std::uint32_t index) override {
        const auto tensor = [&](std::string_view name) { return fmt::format("blocks.{}.{}", index, name); };
        Layer layer{};
        FF_TRY_ASSIGN(layer.ln1, weights.vector(tensor("ln1.weight")));
        FF_TRY(weights.vector(tensor("ln1.bias")));
        FF_TRY_ASSIGN(layer.ln2, weights.vector(tensor("ln2.weight")));
        FF_TRY(weights.vector(tensor("ln2.bias")));
        FF_TRY_ASSIGN(layer.mix_k, weights.vector(tensor("att.time_mix_k"), previous_weight));
        FF_TRY_ASSIGN(layer.mix_v, weights.vector(tensor("att.time_mix_v"), previous_weight));
        FF_TRY_ASSIGN(layer.mix_r, weights.vector(tensor("att.time_mix_r"), previous_weight));
        FF_TRY_ASSIGN(layer.ffn_mix_k, weights.vector(tensor("ffn.time_mix_k"), previous_weight));
        FF_TRY_ASSIGN(layer.ffn_mix_r, weights.vector(tensor("ffn.time_mix_r"), previous_weight));
        FF_TRY_ASSIGN(layer.decay, weights.vector(tensor("att.time_decay"), log_decay));
        FF_TRY(weights.vector(tensor("att.time_first")));

        const std::vector<MatrixRequest> time = {
            {tensor("att.receptance.weight")}, {tensor("att.key.weight")}, {tensor("att.value.weight")}};
        const std::vector<MatrixRequest> channel = {{tensor("ffn.key.weight")}, {tensor("ffn.receptance.weight")}};
        FF_TRY_ASSIGN(std::vector<Matrix> time_mix, weights.matrices(time));
        FF_TRY_ASSIGN(std::vector<Matrix> channel_mix, weights.matrices(channel));
        layer.receptance = std::move(time_mix[0]);
        layer.key = std::move(time_mix[1]);
        layer.value = std::move(time_mix[2]);
        layer.ffn_key = std::move(channel_mix[0]);
        layer.ffn_receptance = std::move(channel_mix[1]);
        FF_TRY_ASSIGN(layer.output, weights.matrix({tensor("att.output.weight")}));
        FF_TRY_ASSIGN(layer.ffn_value, weights.matrix({tensor("ffn.value.weight")}));
        layers_.push_back(std::move(layer));
        return {};
    }

    Result<std::vector<Launch>> plan_layer(const LayerContext &context, std::uint32_t index) const override;

  private:
    loader::ModelDescription description_;
    std::vector<Layer> layers_;
};

Result<std::vector<Launch>> Rwkv4::plan_layer(const LayerContext &context, std::uint32_t index) const {
    const Layer &layer = layers_[index];
    const auto number = static_cast<std::int32_t>(index);
    const kernels::StepBuffers &step = context.step;
    const kernels::LayerState state = context.states->layer(index);
    const StateLayout &layout = context.states->layout();
    const auto get = [&](const char *name) { return context.scratch->get(name); };
    const Activation x = get("x"), r = get("r"), k = get("k"), v = get("v"), gate = get("gate"), h = get("h");
    const auto variant = [&](const char *kernel, const Matrix &matrix) {
        return &kernels::variant_for(kernel, matrix.type, *step.traits);
    };

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
                                              .segments = {{&layer.receptance, layer.mix_r, ActivationKind::sigmoid, r},
                                                           {&layer.key, layer.mix_k, ActivationKind::none, k},
                                                           {&layer.value, layer.mix_v, ActivationKind::none, v}}}));
    append(std::move(a));
    append(kernels::wkv4_project_add(step, {.variant = variant("wkv4_project_add", layer.output),
                                            .layer = number,
                                            .output = &layer.output,
                                            .decay_at = layer.decay,
                                            .r = r,
                                            .k = k,
                                            .v = v,
                                            .x = x,
                                            .state = state,
                                            .wkv_offset = layout.part("aa").offset}));
    FF_TRY_ASSIGN(std::vector<Launch> c,
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
    append(std::move(c));
    append(kernels::project_add(step, {.variant = variant("project_add", layer.ffn_value),
                                       .layer = number,
                                       .matrix = &layer.ffn_value,
                                       .input = h,
                                       .gate = gate,
                                       .x = x}));
    return launches;
}

} // namespace

Result<std::unique_ptr<Architecture>> make_rwkv4(const loader::ModelDescription &description) {
    return std::unique_ptr<Architecture>(std::make_unique<Rwkv4>(description));
}

} // namespace ff::model
