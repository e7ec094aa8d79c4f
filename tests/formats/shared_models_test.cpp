// The models of the shared folder: every version is recognised, and all containers of a model hold the same values.
#include "loader/description.h"
#include "tests/formats/support.h"

#include <algorithm>
#include <cstring>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

struct Model {
    std::string_view name, version;
    std::uint32_t layers, width, heads, head_size, ffn, vocabulary;
    bool pth;
};
constexpr Model kModels[] = {
    {"synth-4", "4.0", 2, 128, 0, 0, 256, 97, false},         {"synth-5.0", "5.0", 2, 128, 2, 64, 256, 97, false},
    {"synth-5.1", "5.1", 2, 128, 2, 64, 256, 97, false},      {"synth-5.2", "5.2", 2, 128, 2, 64, 448, 97, false},
    {"synth-6", "6.0", 2, 128, 2, 64, 448, 97, false},        {"synth-7", "7.0", 3, 128, 2, 64, 512, 97, false},
    {"synth-7a", "7a", 2, 128, 2, 64, 256, 97, false},        {"tiny-rwkv-4v0", "4.0", 4, 128, 0, 0, 256, 256, true},
    {"tiny-rwkv-5v1", "5.0", 12, 64, 8, 8, 256, 256, true},   {"tiny-rwkv-5v2", "5.2", 12, 64, 8, 8, 256, 256, true},
    {"tiny-rwkv-6v0", "6.0", 12, 128, 16, 8, 448, 256, true}, {"tiny-rwkv-7v0", "7.0", 12, 64, 1, 64, 256, 256, true},
};

std::unique_ptr<TensorSource> open_shared(const std::string &path) {
    auto source = open_tensor_source(path);
    REQUIRE_MESSAGE(source.ok(), (source.ok() ? "" : source.error().message));
    return std::move(source).value();
}

void check_description(const TensorSource &source, const Model &model) {
    const auto found = describe(source);
    REQUIRE_MESSAGE(found.ok(), (found.ok() ? "" : found.error().message));
    CHECK(label_of(found->version) == model.version);
    CHECK(found->layers == model.layers);
    CHECK(found->width == model.width);
    CHECK(found->attention_width == model.width);
    CHECK(found->heads == model.heads);
    CHECK(found->head_size == model.head_size);
    CHECK(found->ffn_width == model.ffn);
    CHECK(found->vocabulary == model.vocabulary);
}

} // namespace

TEST_CASE("shared: every model is described") {
    for (const Model &model : kModels) {
        CAPTURE(model.name);
        const std::string base = "models/" + std::string(model.name);
        if (const auto path = shared_file(base + ".safetensors")) check_description(*open_shared(*path), model);
        if (!model.pth) continue;
        if (const auto path = shared_file(base + ".pth")) check_description(*open_shared(*path), model);
    }
    if (const auto path = shared_file("demo-model/demo-rwkv7.safetensors"))
        check_description(*open_shared(*path), {"demo", "7.0", 4, 256, 4, 64, 768, 256, false});
}

TEST_CASE("shared: .pth and .safetensors of a model hold the same bytes") {
    for (const Model &model : kModels) {
        if (!model.pth) continue;
        CAPTURE(model.name);
        const auto a = shared_file("models/" + std::string(model.name) + ".pth");
        const auto b = shared_file("models/" + std::string(model.name) + ".safetensors");
        if (!a || !b) continue;
        const auto pth = open_shared(*a), safetensors = open_shared(*b);
        REQUIRE(pth->tensors().size() == safetensors->tensors().size());
        for (std::size_t i = 0; i < pth->tensors().size(); ++i) {
            const TensorInfo &info = pth->tensors()[i];
            CAPTURE(info.name);
            const auto j = find_tensor(*safetensors, info.name);
            REQUIRE(j.has_value());
            CHECK(safetensors->tensors()[*j].dtype == info.dtype);
            CHECK(safetensors->tensors()[*j].shape == info.shape);
            const auto left = pth->read(i), right = safetensors->read(*j);
            REQUIRE(left.ok());
            REQUIRE(right.ok());
            CHECK(left->is_view());
            CHECK(right->is_view());
            CHECK(std::ranges::equal(left->bytes(), right->bytes()));
        }
    }
}
