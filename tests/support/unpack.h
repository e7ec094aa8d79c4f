// Reads rows of weights as they lie on the device (runtime/kernels/weight_layout.h), by that description alone.
#pragma once

#include "runtime/kernels/weight_layout.h"

#include <vector>

namespace ff::test {

std::vector<float> unpack_row(kernels::WeightType type, std::span<const std::byte> row, std::uint32_t columns);

} // namespace ff::test
