// Low-rank matrices, which converters store the other way round.
#pragma once

#include "loader/tensor_source.h"

namespace ff::loader {

// A copy of the tensor with its last two axes swapped; a vector [n] counts as [1, n]. Plain floats keep their type,
// blocks become f32.
std::vector<std::byte> turned(const TensorInfo &stored, std::span<const std::byte> bytes);

} // namespace ff::loader
