// Small random models of any version and shape, made in memory: every tensor moves the result, so a kernel that misses
// one shows. For checks that must hold where no model file is.
#pragma once

#include "loader/description.h"

namespace ff::doctor {

// `shape` says version, layers, widths, heads, ranks and vocabulary, as loader::expected_tensors takes them.
std::vector<std::byte> random_model(const loader::ModelDescription &shape, loader::DType dtype, std::uint64_t seed);

// 2 layers, C = 72, F = 200, V = 83, 3 heads of 24 with unequal ranks: nothing is a multiple of much.
loader::ModelDescription odd_shape(loader::Version version);
// The same with C = 256, F = 512, 8 heads of 32: rows are whole blocks of every format.
loader::ModelDescription block_shape(loader::Version version);

// The source with its embedding in a block format, as GGUF files have it.
std::unique_ptr<loader::TensorSource> with_block_table(std::unique_ptr<loader::TensorSource> source, loader::DType type);

} // namespace ff::doctor
