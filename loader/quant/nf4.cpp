// nf4: 64 elements, a factor and sixteen values that are not evenly spaced.
#include "loader/quant/block_bytes.h"
#include "loader/quant/blocks.h"
#include "loader/quant/scale_search.h"

#include <algorithm>
#include <cmath>

namespace ff::loader {

namespace {

constexpr std::size_t kElements = 64, kNibbles = 2;

unsigned nearest(float value) { // how many of the midpoints lie below
    unsigned q = 0;
    for (std::size_t i = 0; i + 1 < kNf4.size(); ++i) q += value > (kNf4[i] + kNf4[i + 1]) / 2 ? 1 : 0;
    return q;
}

struct Fit {
    float factor = 0, gain = 0;
};

// The integers that `factor` rounds to, and the factor that suits them best.
Fit fit(const float *x, const std::array<float, kElements> &w, float factor) {
    const float inverse = 1 / factor;
    float product = 0, square = 0;
    for (std::size_t i = 0; i < kElements; ++i) {
        const float value = kNf4[nearest(x[i] * inverse)];
        product += w[i] * x[i] * value;
        square += w[i] * value * value;
    }
    if (!(square > 0)) return {};
    return {product / square, product * product / square};
}

} // namespace

void decode_nf4(const std::byte *block, float *values) {
    const float factor = factor_at(block, 0);
    for (std::size_t i = 0; i < kElements / 2; ++i) {
        const unsigned both = byte_at(block, kNibbles + i);
        values[2 * i] = factor * kNf4[both & 15];
        values[2 * i + 1] = factor * kNf4[both >> 4];
    }
}

// QLoRA's factor is the largest magnitude; a smaller one that cuts it off may serve the others better.
void encode_nf4(const float *values, std::byte *block) {
    float largest = 0;
    for (std::size_t i = 0; i < kElements; ++i) largest = std::max(largest, std::fabs(values[i]));
    std::array<float, kElements> weights;
    error_weights({values, kElements}, weights);
    Fit best;
    best.factor = largest;
    if (largest > 0 && std::isfinite(largest))
        for (int step = -1; step <= 8; ++step) {
            const Fit found = fit(values, weights, largest * (1 - 0.03f * static_cast<float>(step)));
            if (found.gain > best.gain) best = found;
        }
    const float factor = set_factor(block, 0, best.factor);
    const float inverse = factor != 0 ? 1 / factor : 0;
    for (std::size_t i = 0; i < kElements / 2; ++i)
        set_byte(block, kNibbles + i, nearest(values[2 * i] * inverse) | (nearest(values[2 * i + 1] * inverse) << 4));
}

} // namespace ff::loader
