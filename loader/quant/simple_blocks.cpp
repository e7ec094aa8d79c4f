// q8_0, q4_0, q4_1, q5_0, q5_1: 32 elements and one scale.
#include "loader/quant/block_bytes.h"
#include "loader/quant/blocks.h"
#include "loader/quant/scale_search.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace ff::loader {

namespace {

constexpr std::size_t kElements = 32, kHalf = 16;
using Group = std::array<float, kElements>;
using Levels = std::array<unsigned, kElements>;

// A fifth bit for each element at `high`, or none.
template <bool fifth>
Levels levels_at(const std::byte *block, std::size_t high, std::size_t nibbles) {
    Levels q;
    for (std::size_t i = 0; i < kHalf; ++i) {
        const unsigned both = byte_at(block, nibbles + i);
        q[i] = both & 15;
        q[i + kHalf] = both >> 4;
    }
    if constexpr (fifth)
        for (std::size_t i = 0; i < kElements; ++i) q[i] |= ((byte_at(block, high + i / 8) >> (i % 8)) & 1) << 4;
    return q;
}

template <bool fifth>
void set_levels(std::byte *block, std::size_t high, std::size_t nibbles, const Levels &q) {
    for (std::size_t i = 0; i < kHalf; ++i) set_byte(block, nibbles + i, (q[i] & 15) | ((q[i + kHalf] & 15) << 4));
    if constexpr (fifth)
        for (std::size_t byte = 0; byte < 4; ++byte) {
            unsigned bits = 0;
            for (std::size_t i = 0; i < 8; ++i) bits |= (q[8 * byte + i] >> 4) << i;
            set_byte(block, high + byte, bits);
        }
}

Levels rounded(const float *x, float scale, float minimum, float offset, float high) {
    const float inverse = scale != 0 ? 1 / scale : 0;
    Levels q;
    for (std::size_t i = 0; i < kElements; ++i)
        q[i] = static_cast<unsigned>(nearest_level((x[i] - minimum) * inverse + offset, 0, high));
    return q;
}

// q4_0, q5_0: d * (q - offset)
template <bool fifth>
void encode_centred(const float *x, std::byte *block) {
    constexpr float kOffset = fifth ? 16 : 8;
    Group weights;
    error_weights({x, kElements}, weights);
    const float scale = set_factor(block, 0, symmetric_scale({x, kElements}, weights, -kOffset, kOffset - 1));
    set_levels<fifth>(block, 2, fifth ? 6 : 2, rounded(x, scale, 0, kOffset, 2 * kOffset - 1));
}

// q4_1, q5_1: d * q + m
template <bool fifth>
void encode_affine(const float *x, std::byte *block) {
    constexpr float kHigh = fifth ? 31 : 15;
    Group weights;
    error_weights({x, kElements}, weights);
    const Affine affine = affine_scale({x, kElements}, weights, kHigh, false);
    const float scale = set_factor(block, 0, affine.scale), minimum = set_factor(block, 2, affine.minimum);
    set_levels<fifth>(block, 4, fifth ? 8 : 4, rounded(x, scale, minimum, 0, kHigh));
}

template <bool fifth>
void decode_centred(const std::byte *block, float *values) {
    const float scale = factor_at(block, 0);
    const Levels q = levels_at<fifth>(block, 2, fifth ? 6 : 2);
    for (std::size_t i = 0; i < kElements; ++i)
        values[i] = scale * static_cast<float>(static_cast<int>(q[i]) - (fifth ? 16 : 8));
}

template <bool fifth>
void decode_affine(const std::byte *block, float *values) {
    const float scale = factor_at(block, 0), minimum = factor_at(block, 2);
    const Levels q = levels_at<fifth>(block, 4, fifth ? 8 : 4);
    for (std::size_t i = 0; i < kElements; ++i) values[i] = scale * static_cast<float>(q[i]) + minimum;
}

} // namespace

void decode_q8_0(const std::byte *block, float *values) {
    const float scale = factor_at(block, 0);
    for (std::size_t i = 0; i < kElements; ++i)
        values[i] = scale * static_cast<float>(static_cast<std::int8_t>(byte_at(block, 2 + i)));
}

// With 255 levels a search gains nothing worth its time: the largest value sets the scale.
void encode_q8_0(const float *values, std::byte *block) {
    float largest = 0;
    for (std::size_t i = 0; i < kElements; ++i) largest = std::max(largest, std::fabs(values[i]));
    const float scale = set_factor(block, 0, largest / 127);
    const float inverse = scale != 0 ? 1 / scale : 0;
    for (std::size_t i = 0; i < kElements; ++i)
        set_byte(block, 2 + i,
                 static_cast<unsigned>(static_cast<int>(nearest_level(values[i] * inverse, -127, 127))) & 255);
}

void decode_q4_0(const std::byte *block, float *values) {
    decode_centred<false>(block, values);
}
void decode_q4_1(const std::byte *block, float *values) {
    decode_affine<false>(block, values);
}
void decode_q5_0(const std::byte *block, float *values) {
    decode_centred<true>(block, values);
}
void decode_q5_1(const std::byte *block, float *values) {
    decode_affine<true>(block, values);
}
void encode_q4_0(const float *values, std::byte *block) {
    encode_centred<false>(values, block);
}
void encode_q4_1(const float *values, std::byte *block) {
    encode_affine<false>(values, block);
}
void encode_q5_0(const float *values, std::byte *block) {
    encode_centred<true>(values, block);
}
void encode_q5_1(const float *values, std::byte *block) {
    encode_affine<true>(values, block);
}

} // namespace ff::loader
