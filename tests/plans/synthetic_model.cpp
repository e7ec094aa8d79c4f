#include "tests/plans/synthetic_model.h"

#include "loader/layout.h"
#include "tests/support/random.h"
#include "tests/support/small_floats.h"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

namespace ff::test {
namespace {

// Mean and deviation such that activations stay of order one at any depth, by what the tensor is for.
std::pair<double, double> distribution(const loader::ExpectedTensor &tensor) {
    const std::string_view name = tensor.name;
    const auto ends = [&](std::string_view end) { return name.ends_with(end); };
    if (ends("emb.weight")) return {0.0, 1.0};
    if (tensor.shape.size() == 2 && ends(".weight"))
        return {0.0, 1.0 / std::sqrt(static_cast<double>(tensor.shape[1]))};
    if (tensor.shape.size() >= 2) return {0.0, 0.3}; // low-rank pairs, r_k, bonus
    if (ends("bias")) return {0.0, 0.1};
    if (ends("weight")) return {1.0, 0.2}; // norms
    if (name.find(".x_") != name.npos || name.find("time_mix_") != name.npos) return {0.5, 0.25};
    if (ends("k_k") || ends("k_a")) return {0.9, 0.1};
    return {0.0, 0.7}; // decays and biases
}

} // namespace

std::vector<std::byte> synthetic_model(const loader::ModelDescription &shape, loader::DType dtype, std::uint64_t seed) {
    nlohmann::ordered_json header;
    std::vector<std::byte> data;
    Random random(seed);
    for (const loader::ExpectedTensor &tensor : loader::expected_tensors(shape)) {
        std::uint64_t elements = 1;
        for (const std::uint64_t size : tensor.shape) elements *= size;
        const auto [mean, deviation] = distribution(tensor);
        const std::vector<float> values = random.vector(elements, deviation, mean);
        const std::size_t begin = data.size(), size = loader::bytes_per_element(dtype);
        data.resize(begin + elements * size);
        for (std::size_t i = 0; i < elements; ++i) {
            const std::uint16_t half = dtype == loader::DType::f16 ? to_half(values[i]) : to_bfloat16(values[i]);
            const void *from = dtype == loader::DType::f32 ? static_cast<const void *>(&values[i]) : &half;
            std::memcpy(data.data() + begin + i * size, from, size);
        }
        const char *name = dtype == loader::DType::f32 ? "F32" : dtype == loader::DType::f16 ? "F16" : "BF16";
        header[tensor.name] = {{"dtype", name}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
    }
    const std::string text = header.dump();
    const std::uint64_t length = text.size();
    std::vector<std::byte> file(8 + text.size());
    std::memcpy(file.data(), &length, 8);
    std::memcpy(file.data() + 8, text.data(), text.size());
    file.insert(file.end(), data.begin(), data.end());
    return file;
}

loader::ModelDescription odd_shape(loader::Version version) {
    loader::ModelDescription shape;
    shape.version = version;
    shape.layers = 2;
    shape.width = shape.attention_width = 72;
    shape.ffn_width = 200;
    shape.vocabulary = 83;
    if (version != loader::Version::v4_0) {
        shape.heads = 3;
        shape.head_size = 24;
    }
    const bool seven = version == loader::Version::v7_0 || version == loader::Version::v7a;
    shape.gate = version != loader::Version::v4_0 && version != loader::Version::v5_0;
    shape.exponential_bonus = version == loader::Version::v5_0;
    if (seven) {
        shape.rank_w = 5;
        shape.rank_a = 8;
        shape.rank_v = 3;
        shape.rank_g = 17;
    } else if (version == loader::Version::v6_0) {
        shape.rank_mix = 6;
        shape.rank_w = 9;
    }
    return shape;
}

} // namespace ff::test
