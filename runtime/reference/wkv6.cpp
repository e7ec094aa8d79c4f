#include "runtime/reference/reference.h"

#include <cmath>

namespace ff::reference {

Vector decay6(Floats time_decay, Floats low, Floats w2) {
    Vector w(time_decay.size());
    for (std::size_t c = 0; c < w.size(); ++c) {
        double sum = time_decay[c];
        for (std::size_t i = 0; i < low.size(); ++i) sum += double{low[i]} * double{w2[i * w.size() + c]};
        w[c] = std::exp(-std::exp(sum));
    }
    return w;
}

Vector wkv6(const Wkv6Input &in, std::span<const double> decay, Vector &state) {
    const std::size_t size = in.head_size;
    Vector result(in.heads * size);
    for (std::size_t head = 0; head < in.heads; ++head) {
        const std::size_t first = head * size;
        Vector y(size, 0.0);
        for (std::size_t i = 0; i < size; ++i)
            for (std::size_t j = 0; j < size; ++j) {
                double &s = state[(first + i) * size + j];
                const double kv = double{in.k[first + i]} * double{in.v[first + j]};
                y[j] += double{in.r[first + i]} * (double{in.bonus[first + i]} * kv + s);
                s = decay[first + i] * s + kv;
            }
        double mean = 0, variance = 0;
        for (const double value : y) mean += value / static_cast<double>(size);
        for (const double value : y) variance += (value - mean) * (value - mean) / static_cast<double>(size);
        for (std::size_t j = 0; j < size; ++j) {
            const std::size_t c = first + j;
            const double normalised =
                (y[j] - mean) / std::sqrt(variance + 64e-5) * double{in.ln_weight[c]} + double{in.ln_bias[c]};
            result[c] = normalised * (in.gate.empty() ? 1.0 : double{in.gate[c]});
        }
    }
    return result;
}

Vector lerp6(std::span<const double> normalised, Floats previous, Floats maa, Floats low, Floats w2) {
    Vector y(normalised.size());
    for (std::size_t c = 0; c < y.size(); ++c) {
        double mix = maa[c];
        for (std::size_t i = 0; i < low.size(); ++i) mix += double{low[i]} * double{w2[i * y.size() + c]};
        y[c] = normalised[c] + (double{previous[c]} - normalised[c]) * mix;
    }
    return y;
}

Vector deep_embed(Floats h, Floats low, std::span<const double> matrix, Floats s2, Floats s0) {
    const std::size_t rank = low.size();
    Vector turned(rank, 0.0), result(h.size());
    for (std::size_t i = 0; i < rank; ++i)
        for (std::size_t j = 0; j < rank; ++j) turned[j] += double{low[i]} * matrix[i * rank + j];
    for (std::size_t c = 0; c < result.size(); ++c) {
        double gate = s0[c];
        for (std::size_t j = 0; j < rank; ++j) gate += turned[j] * double{s2[j * h.size() + c]};
        result[c] = double{h[c]} * gate;
    }
    return result;
}

} // namespace ff::reference
