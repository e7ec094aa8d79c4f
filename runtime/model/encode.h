// float32 into the types weights are stored in, rounded to nearest even as every framework does.
#pragma once

#include "runtime/kernels/kernel.h"

#include <cstddef>
#include <cstdint>
#include <span>

namespace ff::model {

std::uint16_t to_float16(float value); // overflow gives infinity, NaN stays NaN
std::uint16_t to_bfloat16(float value);

// values [n] -> out [n * size of an element].
void encode(kernels::WeightType type, std::span<const float> values, std::byte *out);

} // namespace ff::model
