#include "tests/formats/builders/model_builder.h"

#include <algorithm>
#include <fmt/format.h>
#include <random>

namespace ff::loader::test {

namespace {

struct Row {
    std::string_view name;
    std::vector<std::uint64_t> shape;
};

const std::vector<Row> kBoth = {{"ln1.weight", {16}}, {"ln1.bias", {16}}, {"ln2.weight", {16}}, {"ln2.bias", {16}}};
const std::vector<Row> kProjections = {{"att.receptance.weight", {16, 16}},
                                       {"att.key.weight", {16, 16}},
                                       {"att.value.weight", {16, 16}},
                                       {"att.output.weight", {16, 16}}};
const std::vector<Row> kHeadNorm = {{"att.ln_x.weight", {16}}, {"att.ln_x.bias", {16}}};
const std::vector<Row> kOldMix = {{"att.time_mix_k", {1, 1, 16}},
                                  {"att.time_mix_v", {1, 1, 16}},
                                  {"att.time_mix_r", {1, 1, 16}},
                                  {"ffn.time_mix_k", {1, 1, 16}},
                                  {"ffn.time_mix_r", {1, 1, 16}}};
const std::vector<Row> kGate = {{"att.gate.weight", {16, 16}}, {"att.time_mix_g", {1, 1, 16}}};
const std::vector<Row> kFeedForward = {{"ffn.key.weight", {24, 16}}, {"ffn.value.weight", {16, 24}}};
const std::vector<Row> kFeedGate = {{"ffn.receptance.weight", {16, 16}}};
const std::vector<Row> k4 = {{"att.time_decay", {16}}, {"att.time_first", {16}}};
const std::vector<Row> k50 = {{"att.time_decay", {4}}, {"att.time_first", {4}}};
const std::vector<Row> k51 = {{"att.time_decay", {4}}, {"att.time_faaaa", {4}}};
const std::vector<Row> k52 = {{"att.time_decay", {4, 4}}, {"att.time_faaaa", {4, 4}}};
const std::vector<Row> k6 = {
    {"att.time_maa_x", {1, 1, 16}}, {"att.time_maa_w", {1, 1, 16}},  {"att.time_maa_k", {1, 1, 16}},
    {"att.time_maa_v", {1, 1, 16}}, {"att.time_maa_r", {1, 1, 16}},  {"att.time_maa_g", {1, 1, 16}},
    {"att.time_maa_w1", {16, 15}},  {"att.time_maa_w2", {5, 3, 16}}, {"att.time_decay", {1, 1, 16}},
    {"att.time_decay_w1", {16, 2}}, {"att.time_decay_w2", {2, 16}},  {"att.time_faaaa", {4, 4}},
    {"att.gate.weight", {16, 16}},  {"ffn.time_maa_k", {1, 1, 16}},  {"ffn.time_maa_r", {1, 1, 16}}};
const std::vector<Row> k7 = {{"att.x_r", {1, 1, 16}}, {"att.x_w", {1, 1, 16}}, {"att.x_k", {1, 1, 16}},
                             {"att.x_v", {1, 1, 16}}, {"att.x_a", {1, 1, 16}}, {"att.x_g", {1, 1, 16}},
                             {"att.w0", {1, 1, 16}},  {"att.w1", {16, 2}},     {"att.w2", {2, 16}},
                             {"att.a0", {1, 1, 16}},  {"att.a1", {16, 3}},     {"att.a2", {3, 16}},
                             {"att.v0", {1, 1, 16}},  {"att.v1", {16, 5}},     {"att.v2", {5, 16}},
                             {"att.g1", {16, 6}},     {"att.g2", {6, 16}},     {"att.k_k", {1, 1, 16}},
                             {"att.k_a", {1, 1, 16}}, {"att.r_k", {4, 4}},     {"ffn.x_k", {1, 1, 16}}};
const std::vector<Row> k7a = {{"ffn.s_emb.weight", {11, 1024}},
                              {"ffn.s_emb_x.weight", {1024, 16}},
                              {"ffn.s1", {16, 32}},
                              {"ffn.s2", {32, 24}},
                              {"ffn.s0", {1, 1, 24}}};

std::vector<const std::vector<Row> *> rows_of(std::string_view version) {
    if (version == "4.0") return {&kBoth, &k4, &kOldMix, &kProjections, &kFeedForward, &kFeedGate};
    if (version == "5.0") return {&kBoth, &k50, &kOldMix, &kProjections, &kHeadNorm, &kFeedForward, &kFeedGate};
    if (version == "5.1") return {&kBoth, &k51, &kOldMix, &kGate, &kProjections, &kHeadNorm, &kFeedForward, &kFeedGate};
    if (version == "5.2") return {&kBoth, &k52, &kOldMix, &kGate, &kProjections, &kHeadNorm, &kFeedForward, &kFeedGate};
    if (version == "6.0") return {&kBoth, &k6, &kProjections, &kHeadNorm, &kFeedForward, &kFeedGate};
    if (version == "7.0") return {&kBoth, &k7, &kProjections, &kHeadNorm, &kFeedForward};
    REQUIRE(version == "7a");
    return {&kBoth, &k7, &kProjections, &kHeadNorm, &kFeedForward, &k7a};
}

} // namespace

void add(std::vector<NamedTensor> &model, std::string name, std::vector<std::uint64_t> shape) {
    NamedTensor tensor{{std::move(name), DType::f32, std::move(shape)}, {}};
    tensor.bytes.resize(tensor.info.bytes());
    model.push_back(std::move(tensor));
}

std::vector<NamedTensor> small_model(std::string_view version) {
    std::vector<NamedTensor> model;
    add(model, "emb.weight", {11, 16});
    for (int layer = 0; layer < 2; ++layer) {
        if (layer == 0) {
            add(model, "blocks.0.ln0.weight", {16});
            add(model, "blocks.0.ln0.bias", {16});
        }
        for (const auto *rows : rows_of(version))
            for (const Row &row : *rows) add(model, fmt::format("blocks.{}.{}", layer, row.name), row.shape);
    }
    add(model, "ln_out.weight", {16});
    add(model, "ln_out.bias", {16});
    add(model, "head.weight", {11, 16});
    return model;
}

std::vector<NamedTensor> filled_model(std::string_view version) {
    std::vector<NamedTensor> model = small_model(version);
    std::mt19937 random(1);
    for (NamedTensor &tensor : model) {
        std::vector<float> values(tensor.info.elements());
        for (float &value : values) value = static_cast<float>(random() >> 8) / 0x1p23f - 1.0f;
        if (tensor.info.name.ends_with("time_decay"))
            for (float &value : values) value = 3 * value - 2;
        tensor.bytes = bytes_of(values);
    }
    return model;
}

NamedTensor &tensor_named(std::vector<NamedTensor> &model, std::string_view name) {
    const auto found = std::find_if(model.begin(), model.end(), [&](const auto &t) { return t.info.name == name; });
    REQUIRE_MESSAGE(found != model.end(), name);
    return *found;
}

void set_shape(std::vector<NamedTensor> &model, std::string_view name, std::vector<std::uint64_t> shape) {
    NamedTensor &tensor = tensor_named(model, name);
    tensor.info.shape = std::move(shape);
    tensor.bytes.resize(tensor.info.bytes());
}

void remove(std::vector<NamedTensor> &model, std::string_view name) {
    REQUIRE(std::erase_if(model, [&](const auto &t) { return t.info.name == name; }) == 1);
}

void rename(std::vector<NamedTensor> &model, std::string_view part, std::string_view with) {
    for (NamedTensor &tensor : model)
        if (const std::size_t at = tensor.info.name.find(part); at != std::string::npos)
            tensor.info.name.replace(at, part.size(), with);
}

} // namespace ff::loader::test
