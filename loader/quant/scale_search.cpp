#include "loader/quant/scale_search.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace ff::loader {

namespace {

constexpr std::size_t kLanes = 8; // sums kept apart, so that the compiler may add them side by side

struct Sum {
    std::array<float, kLanes> lanes{};
    float total() const {
        return ((lanes[0] + lanes[4]) + (lanes[2] + lanes[6])) + ((lanes[1] + lanes[5]) + (lanes[3] + lanes[7]));
    }
};

// How far a group's integers, found with one inverse scale, can go when its scale is fitted to them by least squares.
struct SymmetricFit {
    float scale = 0;
    float gain = 0; // error saved against all zeros
};

SymmetricFit fit_symmetric(std::span<const float> x, std::span<const float> w, float inverse, float low, float high) {
    Sum xq, qq;
    for (std::size_t i = 0; i < x.size(); i += kLanes)
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const float q = nearest_level(x[i + lane] * inverse, low, high);
            xq.lanes[lane] += w[i + lane] * x[i + lane] * q;
            qq.lanes[lane] += w[i + lane] * q * q;
        }
    const float product = xq.total(), square = qq.total();
    if (!(square > 0)) return {};
    return {product / square, product * product / square};
}

struct AffineFit {
    Affine affine;
    float error = INFINITY;
};

AffineFit fit_affine(std::span<const float> x, std::span<const float> w, float inverse, float minimum, float high,
                     bool below_zero) {
    std::array<float, kMostInGroup> levels;
    Sum ww, wx, wq, wqq, wqx;
    for (std::size_t i = 0; i < x.size(); i += kLanes)
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const std::size_t at = i + lane;
            const float q = nearest_level((x[at] - minimum) * inverse, 0, high);
            levels[at] = q;
            ww.lanes[lane] += w[at];
            wx.lanes[lane] += w[at] * x[at];
            wq.lanes[lane] += w[at] * q;
            wqq.lanes[lane] += w[at] * q * q;
            wqx.lanes[lane] += w[at] * q * x[at];
        }
    const float s = ww.total(), sx = wx.total(), sq = wq.total(), sqq = wqq.total(), sqx = wqx.total();
    const float determinant = s * sqq - sq * sq;
    if (!(determinant > 0)) return {};
    AffineFit fit;
    fit.affine = {(s * sqx - sx * sq) / determinant, (sqq * sx - sq * sqx) / determinant};
    if (below_zero && fit.affine.minimum > 0) fit.affine = {sqx / sqq, 0};
    if (!(fit.affine.scale > 0)) return {};
    Sum error;
    for (std::size_t i = 0; i < x.size(); i += kLanes)
        for (std::size_t lane = 0; lane < kLanes; ++lane) {
            const std::size_t at = i + lane;
            const float off = fit.affine.scale * levels[at] + fit.affine.minimum - x[at];
            error.lanes[lane] += w[at] * off * off;
        }
    fit.error = error.total();
    return fit;
}

} // namespace

void error_weights(std::span<const float> values, std::span<float> weights) {
    float square = 0;
    for (const float value : values) square += value * value;
    const float rms = std::sqrt(square / static_cast<float>(values.size()));
    for (std::size_t i = 0; i < values.size(); ++i) weights[i] = rms + std::fabs(values[i]);
}

float symmetric_scale(std::span<const float> values, std::span<const float> weights, float low, float high) {
    float largest = 0;
    for (const float value : values)
        if (std::fabs(value) > std::fabs(largest)) largest = value;
    if (largest == 0 || !std::isfinite(largest)) return 0;
    SymmetricFit best;
    best.scale = largest / low;
    constexpr int kSteps = 9; // of a tenth of a level to either side
    for (int step = -kSteps; step <= kSteps; ++step) {
        const SymmetricFit fit =
            fit_symmetric(values, weights, (low + 0.1f * static_cast<float>(step)) / largest, low, high);
        if (fit.gain > best.gain) best = fit;
    }
    for (int round = 0; round < 2 && best.scale != 0; ++round) { // what the fitted scale rounds to may fit better yet
        const SymmetricFit fit = fit_symmetric(values, weights, 1 / best.scale, low, high);
        if (!(fit.gain > best.gain)) break;
        best = fit;
    }
    return best.scale;
}

Affine affine_scale(std::span<const float> values, std::span<const float> weights, float high, bool below_zero) {
    auto [low_at, high_at] = std::minmax_element(values.begin(), values.end());
    float minimum = *low_at;
    const float maximum = *high_at;
    if (below_zero && minimum > 0) minimum = 0;
    if (!std::isfinite(minimum) || !std::isfinite(maximum)) return {};
    if (!(maximum > minimum)) return {0, minimum};
    const float range = maximum - minimum;
    AffineFit best;
    constexpr int kBelow = 10, kAbove = 10; // steps of a tenth of a level: wider ranges, and ranges that cut the ends
    for (int step = -kBelow; step <= kAbove; ++step) {
        const float inverse = (high + 0.1f * static_cast<float>(step)) / range;
        const AffineFit fit = fit_affine(values, weights, inverse, minimum, high, below_zero);
        if (fit.error < best.error) best = fit;
    }
    for (int round = 0; round < 2 && best.affine.scale > 0; ++round) {
        const AffineFit fit = fit_affine(values, weights, 1 / best.affine.scale, best.affine.minimum, high, below_zero);
        if (!(fit.error < best.error)) break;
        best = fit;
    }
    if (!(best.affine.scale > 0)) return {range / high, minimum};
    return best.affine;
}

} // namespace ff::loader
