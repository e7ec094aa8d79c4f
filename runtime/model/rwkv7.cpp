// RWKV-7 "Goose" (arXiv 2503.14456): five launches a layer.
//   A  mix_project   r, k, v = W x_r, W x_k, W x_v;  low-rank downs tanh(w1 x_w), a1 x_a, v1 x_v, sigmoid(g1 x_g)
//   B  wkv7          low-rank ups, decay, state update, group norm, bonus, gate -> y
//   C  project_add   x += W_o y
//   D  mix_project   h = relu(W_k x_k)^2
//   E  project_add   x += W_v h
// with x_c = n + (n_previous - n) * mu_c, n = LN(x), recomputed by the launches that need it. 7a (DeepEmbed) has one
// more between D and E, h *= gate(token, x): D also makes s1^T n for it, and one launch before the layers the part of
// the gate that comes from the embedding, s_emb_x LN0(emb[token]), for all of them.
#include "loader/layout.h"
#include "runtime/kernels/places.h"
#include "runtime/model/layer_plan.h"

#include <array>
#include <fmt/format.h>

namespace ff::model {
namespace {

using kernels::Activation;
using kernels::ActivationKind;
using kernels::Launch;
using kernels::Matrix;

// In the order of wkv7's parameters (shaders/lib/interface.h); v0 may be missing in layer 0, which never uses it.
constexpr std::array kVectors = {"att.w0",  "att.a0",  "att.v0",          "att.k_k",
                                 "att.k_a", "att.r_k", "att.ln_x.weight", "att.ln_x.bias"};

struct Layer {
    std::uint32_t ln1, ln2;                                 // weight, then bias
    std::uint32_t mix_r, mix_w, mix_k, mix_v, mix_a, mix_g; // x_*: weights of the previous token
    std::uint32_t mix_ffn;
    std::uint32_t vectors;
    Matrix receptance, key, value, down_w, down_a, down_g;
    std::optional<Matrix> down_v; // layers above 0
    Matrix up_w, up_a, up_g;
    std::optional<Matrix> up_v;
    Matrix output, ffn_key, ffn_value;
    // 7a: s1 transposed, s_emb, and in the parameters a mix of zeros (s1 reads the unshifted input), s2 and s0.
    Matrix deep_down, deep_table;
    std::uint32_t no_mix, deep_up, deep_bias;
};

class Rwkv7 final : public Architecture {
  public:
    explicit Rwkv7(const loader::ModelDescription &description) : description_(description) {}

    std::uint64_t vector_bytes_per_layer() const override {
        const std::uint64_t vectors = (4 + 7 + kVectors.size()) * kernels::padded_bytes(description_.width);
        return deep_embed() ? vectors + kernels::padded_bytes(description_.width) +
                                  (loader::kDeepEmbedRank + 1) * kernels::padded_bytes(description_.ffn_width)
                            : vectors;
    }
    std::uint32_t segments_per_layer() const override { return 10; }

    void declare_activations(Scratch &scratch) const override {
        const std::uint32_t width = description_.width;
        for (const char *name : {"r", "k", "v", "v_first", "y"}) scratch.declare(name, width);
        scratch.declare("low_w", description_.rank_w);
        scratch.declare("low_a", description_.rank_a);
        scratch.declare("low_v", description_.rank_v);
        scratch.declare("low_g", description_.rank_g);
        scratch.declare("h", description_.ffn_width);
        if (!deep_embed()) return;
        scratch.declare("deep_low", loader::kDeepEmbedRank);
        for (std::uint32_t layer = 0; layer < description_.layers; ++layer)
            scratch.declare(deep_matrix(layer), loader::kDeepEmbedRank * loader::kDeepEmbedRank);
    }

    Result<void> load_begin(WeightLoader &weights) override;
    Result<void> plan_begin(LayerPlan &plan) const override;
    Result<void> load_layer(WeightLoader &weights, std::uint32_t layer) override;
    Result<void> plan_layer(LayerPlan &plan, std::uint32_t index) const override;

  private:
    bool deep_embed() const { return description_.version == loader::Version::v7a; }
    static std::string deep_matrix(std::uint32_t layer) { return fmt::format("deep_matrix.{}", layer); }

    loader::ModelDescription description_;
    std::vector<Layer> layers_;
    std::vector<Matrix> deep_embedded_; // 7a: s_emb_x of every layer
};

Result<void> Rwkv7::load_begin(WeightLoader &weights) {
    if (!deep_embed()) return {};
    std::vector<MatrixRequest> requests;
    for (std::uint32_t layer = 0; layer < description_.layers; ++layer)
        requests.push_back({fmt::format("blocks.{}.ffn.s_emb_x.weight", layer)});
    FF_TRY_ASSIGN(deep_embedded_, weights.run_of_one_type(requests));
    return {};
}

Result<void> Rwkv7::plan_begin(LayerPlan &plan) const {
    if (!deep_embed()) return {};
    std::vector<kernels::ProjectSegment> segments;
    for (std::uint32_t layer = 0; layer < description_.layers; ++layer)
        segments.push_back({&deep_embedded_[layer], plan.get("x"), ActivationKind::none, plan.get(deep_matrix(layer))});
    return plan.project(std::move(segments));
}

Result<void> Rwkv7::load_layer(WeightLoader &weights, std::uint32_t index) {
    const auto tensor = [&](std::string_view name) { return fmt::format("blocks.{}.{}", index, name); };
    Layer layer{};
    FF_TRY_ASSIGN(layer.ln1, weights.norm(tensor("ln1")));
    FF_TRY_ASSIGN(layer.ln2, weights.norm(tensor("ln2")));
    FF_TRY_ASSIGN(layer.mix_r, weights.vector(tensor("att.x_r")));
    FF_TRY_ASSIGN(layer.mix_w, weights.vector(tensor("att.x_w")));
    FF_TRY_ASSIGN(layer.mix_k, weights.vector(tensor("att.x_k")));
    FF_TRY_ASSIGN(layer.mix_v, weights.vector(tensor("att.x_v")));
    FF_TRY_ASSIGN(layer.mix_a, weights.vector(tensor("att.x_a")));
    FF_TRY_ASSIGN(layer.mix_g, weights.vector(tensor("att.x_g")));
    FF_TRY_ASSIGN(layer.mix_ffn, weights.vector(tensor("ffn.x_k")));
    for (const char *name : kVectors) {
        const bool unused = index == 0 && std::string_view(name) == "att.v0";
        FF_TRY_ASSIGN(const std::uint32_t at,
                      unused ? weights.zeros(description_.width) : weights.vector(tensor(name)));
        if (name == kVectors[0]) layer.vectors = at;
    }

    std::vector<MatrixRequest> downs = {{tensor("att.receptance.weight")},
                                        {tensor("att.key.weight")},
                                        {tensor("att.value.weight")},
                                        {tensor("att.w1"), Stored::input_major},
                                        {tensor("att.a1"), Stored::input_major},
                                        {tensor("att.g1"), Stored::input_major}};
    std::vector<MatrixRequest> ups = {{tensor("att.w2"), Stored::input_major},
                                      {tensor("att.a2"), Stored::input_major},
                                      {tensor("att.g2"), Stored::input_major}};
    if (index > 0) {
        downs.push_back({tensor("att.v1"), Stored::input_major});
        ups.push_back({tensor("att.v2"), Stored::input_major});
    }
    FF_TRY_ASSIGN(std::vector<Matrix> down, weights.matrices(downs));
    FF_TRY_ASSIGN(std::vector<Matrix> up, weights.run_of_one_type(ups));
    layer.receptance = std::move(down[0]);
    layer.key = std::move(down[1]);
    layer.value = std::move(down[2]);
    layer.down_w = std::move(down[3]);
    layer.down_a = std::move(down[4]);
    layer.down_g = std::move(down[5]);
    layer.up_w = std::move(up[0]);
    layer.up_a = std::move(up[1]);
    layer.up_g = std::move(up[2]);
    if (index > 0) {
        layer.down_v = std::move(down[6]);
        layer.up_v = std::move(up[3]);
    }
    FF_TRY_ASSIGN(layer.output, weights.matrix({tensor("att.output.weight")}));
    std::vector<MatrixRequest> keys = {{tensor("ffn.key.weight")}};
    if (deep_embed()) keys.push_back({tensor("ffn.s1"), Stored::input_major});
    FF_TRY_ASSIGN(std::vector<Matrix> key, weights.matrices(keys));
    layer.ffn_key = std::move(key[0]);
    FF_TRY_ASSIGN(layer.ffn_value, weights.matrix({.name = tensor("ffn.value.weight"), .by_input = true}));
    if (deep_embed()) {
        layer.deep_down = std::move(key[1]);
        FF_TRY_ASSIGN(layer.deep_table, weights.table(tensor("ffn.s_emb.weight")));
        FF_TRY_ASSIGN(layer.no_mix, weights.zeros(description_.width));
        FF_TRY_ASSIGN(layer.deep_up, weights.vectors_of_rows(tensor("ffn.s2")));
        FF_TRY_ASSIGN(layer.deep_bias, weights.vector(tensor("ffn.s0")));
    }
    layers_.push_back(std::move(layer));
    return {};
}

Result<void> Rwkv7::plan_layer(LayerPlan &plan, std::uint32_t index) const {
    const Layer &layer = layers_[index];
    const Activation r = plan.get("r"), k = plan.get("k"), v = plan.get("v"), y = plan.get("y"), h = plan.get("h");
    const Activation low_v = layer.up_v ? plan.get("low_v") : Activation{};

    std::vector<kernels::MixSegment> segments = {
        {&layer.receptance, layer.mix_r, ActivationKind::none, r},
        {&layer.key, layer.mix_k, ActivationKind::none, k},
        {&layer.value, layer.mix_v, ActivationKind::none, v},
        {&layer.down_w, layer.mix_w, ActivationKind::tanh, plan.get("low_w")},
        {&layer.down_a, layer.mix_a, ActivationKind::none, plan.get("low_a")},
        {&layer.down_g, layer.mix_g, ActivationKind::sigmoid, plan.get("low_g")},
    };
    if (layer.down_v) segments.push_back({&*layer.down_v, layer.mix_v, ActivationKind::none, low_v});
    FF_TRY(plan.mix_project("ln1", layer.ln1, "att_x", std::move(segments)));

    kernels::Wkv7Arguments wkv;
    wkv.heads = description_.heads;
    wkv.head_size = description_.head_size;
    wkv.r = r;
    wkv.k = k;
    wkv.v = v;
    wkv.v_first = plan.get("v_first");
    wkv.y = y;
    wkv.low_w = plan.get("low_w");
    wkv.low_a = plan.get("low_a");
    wkv.low_v = low_v;
    wkv.low_g = plan.get("low_g");
    wkv.up_w = &layer.up_w;
    wkv.up_a = &layer.up_a;
    wkv.up_v = layer.up_v ? &*layer.up_v : nullptr;
    wkv.up_g = &layer.up_g;
    wkv.vectors_at = layer.vectors;
    wkv.vector_stride = 2 * kernels::groups_for(description_.width);
    FF_TRY(plan.wkv7(std::move(wkv)));
    FF_TRY(plan.project_add(layer.output, y));

    std::vector<kernels::MixSegment> keys = {{&layer.ffn_key, layer.mix_ffn, ActivationKind::relu_squared, h}};
    if (deep_embed()) keys.push_back({&layer.deep_down, layer.no_mix, ActivationKind::none, plan.get("deep_low")});
    FF_TRY(plan.mix_project("ln2", layer.ln2, "ffn_x", std::move(keys)));
    if (deep_embed()) {
        kernels::DeepEmbedArguments gate;
        gate.table = &layer.deep_table;
        gate.rank = loader::kDeepEmbedRank;
        gate.width = description_.ffn_width;
        gate.up_at = layer.deep_up;
        gate.bias_at = layer.deep_bias;
        gate.low = plan.get("deep_low");
        gate.matrix = plan.get(deep_matrix(index));
        gate.h = h;
        FF_TRY(plan.deep_embed(std::move(gate)));
    }
    return plan.sparse_value(layer.ffn_value, h);
}

} // namespace

Result<std::unique_ptr<Architecture>> make_rwkv7(const loader::ModelDescription &description) {
    return std::unique_ptr<Architecture>(std::make_unique<Rwkv7>(description));
}

} // namespace ff::model
