// Reads rows of weights as they lie on the device (runtime/kernels/weight_layout.h), by that description alone.
#pragma once

#include "runtime/kernels/weight_layout.h"

#include <vector>

namespace ff::doctor {

std::vector<float> unpack_row(kernels::WeightType type, std::span<const std::byte> row, std::uint32_t columns);
// Rows [outputs, columns] of a matrix that is kept by input, from all its strips.
std::vector<float> unpack_strips(kernels::WeightType type, std::span<const std::byte> strips, std::uint32_t outputs,
                                 std::uint32_t columns);

} // namespace ff::doctor
