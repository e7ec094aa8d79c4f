#include "loader/quant/formats.h"

#include "loader/checked.h"
#include "loader/quant/blocks.h"
#include "loader/quant/small_floats.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace ff::loader {

namespace {

void decode_f32(const std::byte *stored, std::size_t count, float *values) {
    std::memcpy(values, stored, 4 * count);
}
void encode_f32(const float *values, std::size_t count, std::byte *stored) {
    std::memcpy(stored, values, 4 * count);
}

template <float widen(std::uint16_t)>
void decode_16(const std::byte *stored, std::size_t count, float *values) {
    for (std::size_t i = 0; i < count; ++i) {
        std::uint16_t bits;
        std::memcpy(&bits, stored + 2 * i, sizeof bits);
        values[i] = widen(bits);
    }
}
template <std::uint16_t narrow(float)>
void encode_16(const float *values, std::size_t count, std::byte *stored) {
    for (std::size_t i = 0; i < count; ++i) {
        const std::uint16_t bits = narrow(values[i]);
        std::memcpy(stored + 2 * i, &bits, sizeof bits);
    }
}

template <std::size_t elements, std::size_t bytes, void one(const std::byte *, float *)>
void decode_blocks(const std::byte *stored, std::size_t count, float *values) {
    for (std::size_t i = 0; i < count; ++i) one(stored + bytes * i, values + elements * i);
}
template <std::size_t elements, std::size_t bytes, void one(const float *, std::byte *)>
void encode_blocks(const float *values, std::size_t count, std::byte *stored) {
    for (std::size_t i = 0; i < count; ++i) one(values + elements * i, stored + bytes * i);
}

template <std::size_t elements, std::size_t bytes, void decode_one(const std::byte *, float *),
          void encode_one(const float *, std::byte *)>
constexpr Format block(DType dtype, std::string_view name, int factor, int second_factor) {
    return {dtype,
            name,
            elements,
            bytes,
            decode_blocks<elements, bytes, decode_one>,
            encode_blocks<elements, bytes, encode_one>,
            factor,
            second_factor};
}

constexpr std::array kFormats = {
    Format{DType::f32, "f32", 1, 4, decode_f32, encode_f32, -1, -1},
    Format{DType::f16, "f16", 1, 2, decode_16<widen_f16>, encode_16<narrow_f16>, 0, -1},
    Format{DType::bf16, "bf16", 1, 2, decode_16<widen_bf16>, encode_16<narrow_bf16>, -1, -1},
    block<32, 34, decode_q8_0, encode_q8_0>(DType::q8_0, "q8_0", 0, -1),
    block<32, 18, decode_q4_0, encode_q4_0>(DType::q4_0, "q4_0", 0, -1),
    block<32, 20, decode_q4_1, encode_q4_1>(DType::q4_1, "q4_1", 0, 2),
    block<32, 22, decode_q5_0, encode_q5_0>(DType::q5_0, "q5_0", 0, -1),
    block<32, 24, decode_q5_1, encode_q5_1>(DType::q5_1, "q5_1", 0, 2),
    block<256, 144, decode_q4_k, encode_q4_k>(DType::q4_k, "q4_k", 0, 2),
    block<256, 176, decode_q5_k, encode_q5_k>(DType::q5_k, "q5_k", 0, 2),
    block<256, 210, decode_q6_k, encode_q6_k>(DType::q6_k, "q6_k", 208, -1),
    block<64, 34, decode_nf4, encode_nf4>(DType::nf4, "nf4", 0, -1),
};

constexpr bool rows_are_in_the_order_of_dtype() {
    for (std::size_t i = 0; i < kFormats.size(); ++i)
        if (static_cast<std::size_t>(kFormats[i].dtype) != i) return false;
    return true;
}
static_assert(rows_are_in_the_order_of_dtype());

// False where the result is not exact.
template <class Bits, float widen(Bits), Bits narrow(float)>
bool scale_float(std::byte *at, int exponent) {
    Bits bits;
    std::memcpy(&bits, at, sizeof bits);
    const float value = widen(bits), scaled = std::ldexp(value, exponent);
    const Bits narrowed = narrow(scaled);
    std::memcpy(at, &narrowed, sizeof narrowed);
    return std::isfinite(scaled) && std::ldexp(widen(narrowed), -exponent) == value;
}

float same(float value) {
    return value;
}

} // namespace

std::span<const Format> formats() {
    return kFormats;
}

const Format &format_of(DType dtype) {
    return kFormats[static_cast<std::size_t>(dtype)];
}

std::optional<DType> dtype_named(std::string_view name) {
    for (const Format &format : kFormats)
        if (format.name == name) return format.dtype;
    return std::nullopt;
}

void decode(DType dtype, std::span<const std::byte> stored, std::span<float> values) {
    const Format &format = format_of(dtype);
    const std::size_t blocks = std::min(stored.size() / format.bytes, values.size() / format.elements);
    if (blocks != 0) format.decode(stored.data(), blocks, values.data());
}

void encode(DType dtype, std::span<const float> values, std::span<std::byte> stored) {
    const Format &format = format_of(dtype);
    const std::size_t blocks = std::min(stored.size() / format.bytes, values.size() / format.elements);
    if (blocks != 0) format.encode(values.data(), blocks, stored.data());
}

bool scale_by_power_of_two(DType dtype, std::span<std::byte> stored, int exponent) {
    const Format &format = format_of(dtype);
    bool exact = true;
    for (std::size_t at = 0; at + format.bytes <= stored.size(); at += format.bytes) {
        std::byte *const block = stored.data() + at;
        if (dtype == DType::f32)
            exact &= scale_float<float, same, same>(block, exponent);
        else if (dtype == DType::bf16)
            exact &= scale_float<std::uint16_t, widen_bf16, narrow_bf16>(block, exponent);
        for (const int offset : {format.factor, format.second_factor})
            if (offset >= 0) exact &= scale_float<std::uint16_t, widen_f16, narrow_f16>(block + offset, exponent);
    }
    return exact;
}

} // namespace ff::loader
