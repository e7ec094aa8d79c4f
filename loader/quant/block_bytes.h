// Bytes of a block, read and written.
#pragma once

#include "loader/quant/small_floats.h"

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace ff::loader {

inline unsigned byte_at(const std::byte *block, std::size_t offset) {
    return std::to_integer<unsigned>(block[offset]);
}
inline void set_byte(std::byte *block, std::size_t offset, unsigned value) {
    block[offset] = static_cast<std::byte>(value);
}
inline float factor_at(const std::byte *block, std::size_t offset) {
    std::uint16_t bits;
    std::memcpy(&bits, block + offset, sizeof bits);
    return widen_f16(bits);
}
// Stores `factor` as float16 and returns what it became.
inline float set_factor(std::byte *block, std::size_t offset, float factor) {
    const std::uint16_t bits = narrow_f16(factor);
    std::memcpy(block + offset, &bits, sizeof bits);
    return widen_f16(bits);
}

} // namespace ff::loader
