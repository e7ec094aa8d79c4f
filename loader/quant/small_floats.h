// The 16-bit floats of files. Widening is exact; narrowing rounds to nearest even, as every framework does.
#pragma once

#include <cstdint>

namespace ff::loader {

float widen_f16(std::uint16_t bits);
float widen_bf16(std::uint16_t bits);
std::uint16_t narrow_f16(float value);  // 65520 and more gives infinity, NaN stays NaN
std::uint16_t narrow_bf16(float value); // NaN stays NaN

} // namespace ff::loader
