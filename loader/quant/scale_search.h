// The scale with which a group of values loses least when it is rounded to integers: what decides the quality of a
// block format. The error is sum w (x - x')^2 with w = rms + |x|, so that outliers, which RWKV's matrices have, count
// for more without drowning the rest.
#pragma once

#include <cstdint>
#include <span>

namespace ff::loader {

constexpr std::size_t kMostInGroup = 64; // and always a multiple of 8

// weights[i] = rms + |values[i]|
void error_weights(std::span<const float> values, std::span<float> weights);

// The integer in [low, high] nearest to value; low for NaN. Both within +-2^20.
inline float nearest_level(float value, float low, float high) {
    constexpr float kMagic = 12582912.0f; // 1.5 * 2^23: what is added to it loses its fraction, rounded to even
    value = value > low ? value : low;
    value = value < high ? value : high;
    return value + kMagic - kMagic;
}

// x ~ scale * q, q in [low, high], low < 0. The scale may be negative: the wider side then serves the larger values.
float symmetric_scale(std::span<const float> values, std::span<const float> weights, float low, float high);

// x ~ scale * q + minimum, q in [0, high], scale >= 0. With `below_zero` the minimum is 0 or less.
struct Affine {
    float scale = 0, minimum = 0;
};
Affine affine_scale(std::span<const float> values, std::span<const float> weights, float high, bool below_zero);

} // namespace ff::loader
