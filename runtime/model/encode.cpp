#include "runtime/model/encode.h"

#include <bit>
#include <cstring>

namespace ff::model {

std::uint16_t to_float16(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    const std::uint32_t sign = bits >> 16 & 0x8000U, magnitude = bits & 0x7fffffffU;
    if (magnitude > 0x7f800000U) return static_cast<std::uint16_t>(sign | 0x7e00U);  // NaN
    if (magnitude >= 0x477ff000U) return static_cast<std::uint16_t>(sign | 0x7c00U); // rounds to 65536 and beyond
    std::uint32_t half = 0, rest = 0, tie = 0;
    if (magnitude >= 0x38800000U) { // normal: the exponent's bias changes from 127 to 15
        half = (magnitude - 0x38000000U) >> 13;
        rest = magnitude & 0x1fffU;
        tie = 0x1000U;
    } else { // subnormal: in units of 2^-24
        const std::uint32_t shift = 126 - (magnitude >> 23);
        if (shift > 24) return static_cast<std::uint16_t>(sign);
        const std::uint32_t mantissa = (magnitude & 0x7fffffU) | 0x800000U;
        half = mantissa >> shift;
        rest = mantissa & ((1U << shift) - 1);
        tie = 1U << (shift - 1);
    }
    if (rest > tie || (rest == tie && (half & 1U))) ++half;
    return static_cast<std::uint16_t>(sign | half);
}

std::uint16_t to_bfloat16(float value) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    if ((bits & 0x7fffffffU) > 0x7f800000U) return static_cast<std::uint16_t>(bits >> 16 | 0x40U); // NaN
    return static_cast<std::uint16_t>((bits + 0x7fffU + (bits >> 16 & 1U)) >> 16);
}

void encode(kernels::WeightType type, std::span<const float> values, std::byte *out) {
    if (type == kernels::WeightType::f32) {
        std::memcpy(out, values.data(), values.size_bytes());
        return;
    }
    const auto convert = type == kernels::WeightType::f16 ? to_float16 : to_bfloat16;
    for (std::size_t i = 0; i < values.size(); ++i) {
        const std::uint16_t half = convert(values[i]);
        std::memcpy(out + 2 * i, &half, sizeof half);
    }
}

} // namespace ff::model
