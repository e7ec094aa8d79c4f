// float16 and bfloat16, rounded to nearest even.
#pragma once

#include <cstdint>

namespace ff::reference {

std::uint16_t to_half(float value);
float from_half(std::uint16_t bits);
std::uint16_t to_bfloat16(float value);
float from_bfloat16(std::uint16_t bits);

} // namespace ff::reference
