#include "runtime/reference/reference.h"

#include <algorithm>
#include <cmath>

namespace ff::reference {
namespace {

// low [rank] times up [rank, C], for one channel; 0 without a rank.
double raise(Floats low, Floats up, std::size_t channel, std::size_t width) {
    double sum = 0;
    for (std::size_t i = 0; i < low.size(); ++i) sum += double{low[i]} * double{up[i * width + channel]};
    return sum;
}

} // namespace

Vector wkv7(const Wkv7Input &in, Vector &state) {
    const std::size_t size = in.head_size, width = in.heads * size;
    Vector result(width);
    for (std::size_t head = 0; head < in.heads; ++head) {
        Vector r(size), k(size), v(size), w(size), a(size), g(size), kk(size);
        double norm = 0, bonus = 0;
        for (std::size_t i = 0; i < size; ++i) {
            const std::size_t c = head * size + i;
            r[i] = in.r[c];
            k[i] = in.k[c];
            v[i] = in.v[c];
            w[i] = std::exp(-std::exp(-0.5) * sigmoid(double{in.w0[c]} + raise(in.low_w, in.w2, c, width)));
            a[i] = sigmoid(double{in.a0[c]} + raise(in.low_a, in.a2, c, width));
            g[i] = raise(in.low_g, in.g2, c, width);
            kk[i] = k[i] * double{in.k_k[c]}; // from the key before it is replaced
            norm += kk[i] * kk[i];
            k[i] *= 1 + (a[i] - 1) * double{in.k_a[c]};
            if (!in.v_first.empty())
                v[i] += (double{in.v_first[c]} - v[i]) * sigmoid(double{in.v0[c]} + raise(in.low_v, in.v2, c, width));
            bonus += r[i] * k[i] * double{in.r_k[c]};
        }
        for (double &value : kk) value /= std::max(std::sqrt(norm), 1e-12);

        // S' = S diag(w) - (S kk)(kk * a)^T + v k^T, and S' r.
        Vector y(size, 0.0);
        for (std::size_t row = 0; row < size; ++row) {
            double *s = state.data() + (head * size + row) * size;
            double removed = 0;
            for (std::size_t j = 0; j < size; ++j) removed += s[j] * kk[j];
            for (std::size_t j = 0; j < size; ++j) {
                s[j] = s[j] * w[j] - removed * kk[j] * a[j] + v[row] * k[j];
                y[row] += s[j] * r[j];
            }
        }

        double mean = 0, variance = 0;
        for (const double value : y) mean += value / static_cast<double>(size);
        for (const double value : y) variance += (value - mean) * (value - mean) / static_cast<double>(size);
        for (std::size_t i = 0; i < size; ++i) {
            const std::size_t c = head * size + i;
            const double normalised =
                (y[i] - mean) / std::sqrt(variance + 64e-5) * double{in.ln_weight[c]} + double{in.ln_bias[c]};
            result[c] = (normalised + bonus * v[i]) * g[i];
        }
    }
    return result;
}

} // namespace ff::reference
