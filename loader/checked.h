// Arithmetic on numbers that a file claims: an overflow is an answer, never a wrap.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

namespace ff::loader {

static_assert(std::endian::native == std::endian::little, "containers are little-endian and are viewed in place");

inline std::optional<std::uint64_t> checked_add(std::uint64_t a, std::uint64_t b) {
    if (a > UINT64_MAX - b) return std::nullopt;
    return a + b;
}

inline std::optional<std::uint64_t> checked_multiply(std::uint64_t a, std::uint64_t b) {
    if (a != 0 && b > UINT64_MAX / a) return std::nullopt;
    return a * b;
}

// 1 for no axes, 0 if any axis is 0, nothing if the product does not fit.
inline std::optional<std::uint64_t> checked_product(std::span<const std::uint64_t> factors) {
    for (const std::uint64_t factor : factors)
        if (factor == 0) return 0;
    std::uint64_t product = 1;
    for (const std::uint64_t factor : factors) {
        const auto next = checked_multiply(product, factor);
        if (!next) return std::nullopt;
        product = *next;
    }
    return product;
}

// Whether [offset, offset + size) lies inside `total` bytes.
inline bool fits(std::uint64_t offset, std::uint64_t size, std::uint64_t total) {
    return offset <= total && size <= total - offset;
}

// A little-endian integer at any alignment; the caller has checked that it lies inside.
template <class T>
T load_le(std::span<const std::byte> bytes, std::uint64_t offset) {
    T value;
    std::memcpy(&value, bytes.data() + offset, sizeof value);
    return value;
}

} // namespace ff::loader
