// Models of random weights: the shapes are those of published models, and the values the same each time.
#include "loader/synthetic_source.h"

#include "tests/formats/builders/safetensors_builder.h"

#include <algorithm>
#include <cmath>

using namespace ff;
using namespace ff::loader;

namespace {

std::unique_ptr<TensorSource> source_of(std::string_view name, DType weights = DType::f16) {
    auto preset = preset_named(name);
    REQUIRE(preset.ok());
    auto source = synthetic_source(*preset, weights);
    REQUIRE(source.ok());
    return std::move(*source);
}

std::vector<float> values(const TensorSource &source, std::string_view name) {
    const auto index = find_tensor(source, name);
    REQUIRE(index);
    const TensorInfo &tensor = source.tensors()[*index];
    auto bytes = source.read(*index);
    REQUIRE(bytes.ok());
    REQUIRE(bytes->bytes().size() == tensor.bytes());
    std::vector<float> out(tensor.elements());
    to_float32(tensor.dtype, bytes->bytes(), out);
    return out;
}

} // namespace

TEST_CASE("every model shape is recognised as what its name says") {
    CHECK(presets().size() == 24);
    for (const Preset &preset : presets()) {
        CAPTURE(preset.name);
        const auto source = source_of(preset.name);
        const auto described = describe(*source);
        REQUIRE(described.ok());
        const ModelDescription wanted = shape_of(preset);
        CHECK(label_of(described->version).front() == preset.name.front());
        CHECK(described->version == preset.version);
        CHECK(described->layers == preset.layers);
        CHECK(described->width == preset.width);
        CHECK(described->vocabulary == preset.vocabulary);
        CHECK(described->ffn_width == wanted.ffn_width);
        CHECK(described->rank_w == wanted.rank_w);
        CHECK(described->rank_a == wanted.rank_a);
        CHECK(described->rank_v == wanted.rank_v);
        CHECK(described->rank_g == wanted.rank_g);
        CHECK(described->rank_mix == wanted.rank_mix);
        CHECK(described->bytes == 2 * described->parameters);
    }
}

TEST_CASE("model shapes have as many parameters as the published models") {
    struct {
        std::string_view name;
        double millions;
    } const published[] = {{"4-169m", 169.3},  {"4-430m", 430.4},   {"4-14b", 14148.6}, {"5-0.1b", 192.8},
                           {"5-0.4b", 461.7},  {"5-7b", 7518.0},    {"6-1.6b", 1599.9}, {"6-14b", 14069.1},
                           {"7-0.1b", 191.0},  {"7-0.4b", 450.8},   {"7-1.5b", 1527.4}, {"7-2.9b", 2947.7},
                           {"7-7.2b", 7199.1}, {"7-13.3b", 13237.5}};
    for (const auto &[name, millions] : published) {
        CAPTURE(name);
        const auto described = describe(*source_of(name));
        REQUIRE(described.ok());
        CHECK(static_cast<double>(described->parameters) / 1e6 == doctest::Approx(millions).epsilon(5e-4));
    }
}

TEST_CASE("random weights are the same each time, and of the scale that their tensor needs") {
    const auto first = source_of("7-0.1b"), second = source_of("7-0.1b");
    for (const std::string_view name : {"blocks.3.att.key.weight", "blocks.3.att.w1", "blocks.0.ln0.weight"})
        CHECK(values(*first, name) == values(*second, name));
    CHECK(values(*first, "blocks.3.att.key.weight") != values(*first, "blocks.4.att.key.weight"));

    const std::vector<float> key = values(*first, "blocks.3.ffn.key.weight");
    double sum = 0, squares = 0;
    for (const float value : key) {
        sum += value;
        squares += static_cast<double>(value) * value;
    }
    const auto count = static_cast<double>(key.size());
    CHECK(std::abs(sum / count) < 1e-3);
    CHECK(squares / count * 768 == doctest::Approx(1.0).epsilon(0.05)); // of 768 inputs
    // No row is another's copy.
    CHECK(std::vector(key.begin(), key.begin() + 768) != std::vector(key.begin() + 768, key.begin() + 1536));
}

TEST_CASE("random weights of a block type: matrices and head, the rest f16") {
    const auto source = source_of("7-0.1b", DType::q4_k);
    for (const TensorInfo &tensor : source->tensors()) {
        CAPTURE(tensor.name);
        const bool matrix = tensor.name.ends_with(".weight") && tensor.shape.size() == 2 && tensor.name != "emb.weight";
        CHECK(tensor.dtype == (matrix ? DType::q4_k : DType::f16));
    }
    for (const float value : values(*source, "blocks.11.ffn.value.weight")) CHECK(std::abs(value) < 1.0F);
    CHECK(describe(*source).ok());
}

TEST_CASE("what stands in for a random tensor is how it begins; a file's tensors have nothing of the kind") {
    const auto source = source_of("7-0.1b", DType::q8_0);
    const auto index = find_tensor(*source, "blocks.0.ffn.key.weight");
    REQUIRE(index);
    const auto some = source->stand_in(*index, 34 * 100);
    const auto all = source->read(*index);
    REQUIRE(some);
    REQUIRE(all.ok());
    REQUIRE(some->bytes().size() == 34 * 100);
    CHECK(std::ranges::equal(some->bytes(), all->bytes().first(34 * 100)));

    const auto file = test::safetensors_file({test::f32_tensor("t", {4}, {1, 2, 3, 4})});
    CHECK_FALSE(test::opened(file)->stand_in(0, 4));
}

TEST_CASE("a model shape there is not is named, and so are those there are") {
    const auto refused = preset_named("7-0.5b");
    REQUIRE(!refused.ok());
    CHECK(refused.error().status == Status::argument);
    CHECK(refused.error().message.find("7-0.5b") != std::string::npos);
    CHECK(refused.error().message.find("7-13.3b") != std::string::npos);
}
