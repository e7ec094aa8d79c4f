// Small random models of any version and shape, made in memory: every tensor moves the result, so a kernel that misses
// one shows. For tests that must hold where no model file is.
#pragma once

#include "loader/description.h"

namespace ff::test {

// `shape` says version, layers, widths, heads, ranks and vocabulary, as loader::expected_tensors takes them.
std::vector<std::byte> synthetic_model(const loader::ModelDescription &shape, loader::DType dtype, std::uint64_t seed);

// 2 layers, C = 72, F = 200, V = 83, 3 heads of 24 with unequal ranks: nothing is a multiple of much.
loader::ModelDescription odd_shape(loader::Version version);

} // namespace ff::test
