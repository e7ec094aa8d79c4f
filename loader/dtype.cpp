#include "loader/checked.h"
#include "loader/tensor_source.h"

#include <algorithm>
#include <bit>
#include <cassert>

namespace ff::loader {

namespace {

// Exact: every half is a float. Subnormal halves (value = mantissa * 2^-24) become normal floats.
float widen_f16(std::uint16_t half) {
    const std::uint32_t sign = (half & 0x8000u) << 16;
    const std::uint32_t exponent = (half >> 10) & 0x1Fu;
    const std::uint32_t mantissa = half & 0x3FFu;
    if (exponent == 0) {
        const float magnitude = static_cast<float>(mantissa) * 0x1p-24f;
        return std::bit_cast<float>(sign | std::bit_cast<std::uint32_t>(magnitude));
    }
    if (exponent == 31) return std::bit_cast<float>(sign | 0x7F800000u | (mantissa << 13)); // infinity or NaN
    return std::bit_cast<float>(sign | ((exponent + 112) << 23) | (mantissa << 13));
}

float widen_bf16(std::uint16_t half) {
    return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
}

template <float widen(std::uint16_t)>
void widen_all(std::span<const std::byte> stored, std::span<float> out) {
    for (std::size_t i = 0; i < out.size(); ++i) out[i] = widen(load_le<std::uint16_t>(stored, 2 * i));
}

} // namespace

std::string_view name_of(DType dtype) {
    switch (dtype) {
    case DType::f32:
        return "f32";
    case DType::f16:
        return "f16";
    case DType::bf16:
        return "bf16";
    }
    return "?";
}

std::uint64_t bytes_per_element(DType dtype) {
    return dtype == DType::f32 ? 4 : 2;
}

std::uint64_t TensorInfo::elements() const {
    return checked_product(shape).value_or(UINT64_MAX);
}

std::uint64_t TensorInfo::bytes() const {
    return checked_multiply(elements(), bytes_per_element(dtype)).value_or(UINT64_MAX);
}

void to_float32(DType dtype, std::span<const std::byte> stored, std::span<float> out) {
    assert(stored.size() == out.size() * bytes_per_element(dtype));
    // Whatever the caller got wrong, nothing outside the two spans is touched.
    out = out.first(std::min<std::size_t>(out.size(), stored.size() / bytes_per_element(dtype)));
    if (out.empty()) return;
    switch (dtype) {
    case DType::f32:
        std::memcpy(out.data(), stored.data(), out.size_bytes());
        break;
    case DType::f16:
        widen_all<widen_f16>(stored, out);
        break;
    case DType::bf16:
        widen_all<widen_bf16>(stored, out);
        break;
    }
}

} // namespace ff::loader
