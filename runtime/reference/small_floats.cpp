#include "runtime/reference/small_floats.h"

#include <bit>
#include <cmath>

namespace ff::reference {

std::uint16_t to_half(float value) {
    const auto sign = static_cast<std::uint16_t>(std::signbit(value) ? 0x8000 : 0);
    const double magnitude = std::fabs(static_cast<double>(value));
    if (std::isnan(value)) return static_cast<std::uint16_t>(sign | 0x7e00);
    if (magnitude >= 65520) return static_cast<std::uint16_t>(sign | 0x7c00); // rounds to infinity
    // Steps of 2^-24 below the smallest normal number, of 2^(exponent - 10) above; nearbyint rounds to even.
    const int exponent = magnitude < 0x1p-14 ? -14 : std::ilogb(magnitude);
    const auto steps = static_cast<int>(std::nearbyint(std::ldexp(magnitude, 10 - exponent)));
    return static_cast<std::uint16_t>(sign | ((exponent + 14) * 1024 + steps)); // a carry walks into the exponent
}

float from_half(std::uint16_t bits) {
    const int exponent = (bits >> 10) & 31, fraction = bits & 1023;
    double magnitude = 0;
    if (exponent == 31)
        magnitude = fraction == 0 ? HUGE_VAL : std::nan("");
    else if (exponent == 0)
        magnitude = std::ldexp(fraction, -24);
    else
        magnitude = std::ldexp(1024 + fraction, exponent - 25);
    return static_cast<float>((bits & 0x8000) != 0 ? -magnitude : magnitude);
}

std::uint16_t to_bfloat16(float value) {
    const auto bits = std::bit_cast<std::uint32_t>(value);
    if (std::isnan(value)) return static_cast<std::uint16_t>((bits >> 16) | 0x40);
    return static_cast<std::uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

float from_bfloat16(std::uint16_t bits) {
    return std::bit_cast<float>(std::uint32_t{bits} << 16);
}

} // namespace ff::reference
