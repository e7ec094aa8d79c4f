// web-rwkv's converted files give the tensors of the checkpoint they were made from.
#include "loader/description.h"
#include "loader/formats/web_rwkv.h"
#include "tests/formats/builders/model_builder.h"

#include <doctest/doctest.h>

#include <cstring>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

// What convert_safetensors.py does to a tensor whose name has one of these in it, but for the rounding to float16.
void turn(NamedTensor &tensor) {
    const std::size_t rows = tensor.info.shape.end()[-2], columns = tensor.info.shape.back();
    Bytes out(tensor.bytes.size());
    const std::size_t matrix = rows * columns * sizeof(float);
    for (std::size_t at = 0; at < out.size(); at += matrix)
        for (std::size_t row = 0; row < rows; ++row)
            for (std::size_t column = 0; column < columns; ++column)
                std::memcpy(out.data() + at + (column * rows + row) * sizeof(float),
                            tensor.bytes.data() + at + (row * columns + column) * sizeof(float), sizeof(float));
    tensor.bytes = std::move(out);
    std::swap(tensor.info.shape.back(), tensor.info.shape.end()[-2]);
}

std::vector<NamedTensor> converted(std::vector<NamedTensor> model) {
    rename(model, "time_faaaa", "time_first");
    rename(model, "time_maa", "time_mix");
    for (NamedTensor &tensor : model)
        for (const char *part : {"time_mix_w1", "time_mix_w2", "time_decay_w1", "time_decay_w2", ".w1", ".w2", ".a1",
                                 ".a2", ".g1", ".g2", ".v1", ".v2"})
            if (tensor.info.name.ends_with(part)) {
                turn(tensor);
                break;
            }
    return model;
}

} // namespace

TEST_CASE("web-rwkv: names and orientation are undone") {
    for (const char *version : {"4.0", "5.2", "6.0", "7.0"}) {
        CAPTURE(version);
        const std::vector<NamedTensor> official = filled_model(version);
        const Bytes file = safetensors_file(converted(official)), straight = safetensors_file(official);
        const auto source = open_tensor_source("converted.st", file);
        REQUIRE(source.ok());
        const auto description = describe(**source);
        REQUIRE_MESSAGE(description.ok(), (description.ok() ? "" : description.error().message));
        CHECK(label_of(description->version) == version);
        for (const NamedTensor &tensor : official) {
            CAPTURE(tensor.info.name);
            const auto index = find_tensor(**source, tensor.info.name);
            REQUIRE(index);
            CHECK((*source)->tensors()[*index].shape == tensor.info.shape);
            const auto bytes = (*source)->read(*index);
            REQUIRE(bytes.ok());
            CHECK(std::equal(bytes->bytes().begin(), bytes->bytes().end(), tensor.bytes.begin(), tensor.bytes.end()));
        }
    }
}

TEST_CASE("web-rwkv: official files are left alone") {
    for (const char *version : {"4.0", "5.0", "5.1", "5.2", "6.0", "7.0", "7a"}) {
        CAPTURE(version);
        const Bytes file = safetensors_file(filled_model(version));
        const auto source = open_tensor_source("official.safetensors", file);
        REQUIRE(source.ok());
        CHECK_FALSE(is_web_rwkv(**source));
    }
}
