// Which tensors a model of given shapes consists of: the one place that knows names and shapes of every RWKV version.
#pragma once

#include "loader/description.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace ff::loader {

constexpr std::uint32_t kDeepEmbedRank = 32; // 7a: s1 [C, 32], and s_emb holds 32 x 32 values a token

struct ExpectedTensor {
    std::string name;
    std::vector<std::uint64_t> shape; // a vector of n also stands for [1, 1, n]: official files have both
    bool optional = false;            // never used, any shape
};

// Every tensor of a model with these version, layers, widths, heads, ranks, gate and exponential_bonus, in the order
// of official files. parameters, bytes and bytes_by_dtype are not read.
std::vector<ExpectedTensor> expected_tensors(const ModelDescription &model);

// Whether `found` is `expected`, or [1, 1, n] for [n].
bool shape_matches(std::span<const std::uint64_t> expected, std::span<const std::uint64_t> found);

} // namespace ff::loader
