// The kernels' work in float64, for tests and for the doctor. Formulas are those of RWKV-4 (arXiv 2305.13048) and RWKV-7 (arXiv
// 2503.14456); matrices are row-major [rows, columns] and belong to the caller.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace ff::reference {

using Vector = std::vector<double>;
using Floats = std::span<const float>;
Vector widen(Floats values);

double sigmoid(double x);

// (x - mean) / sqrt(variance + 1e-5) * weight + bias, the variance over C, not C - 1.
Vector layer_norm(std::span<const double> x, Floats weight, Floats bias);

// matrix [rows, columns] times vector [columns].
Vector multiply(Floats matrix, std::span<const double> vector);

// LN0 of one row of the embedding table.
Vector embed(Floats row, Floats norm_weight, Floats norm_bias);

// Token shift in the writing of RWKV-6 and -7: n + (previous - n) * mix.
Vector token_shift(std::span<const double> normalised, Floats previous, Floats mix);
enum class Activation { none, sigmoid, tanh, relu_squared, silu };
// activation(matrix * shifted), the projections of time mixing and the key and receptance of channel mixing.
Vector mix_project(Floats matrix, std::span<const double> shifted, Activation activation);

Vector head(Floats matrix, Floats x, Floats norm_weight, Floats norm_bias);

// x + gate * (matrix * y); no gate if it is empty.
Vector project_add(Floats x, Floats matrix, Floats y, Floats gate);

// The WKV operator of RWKV-4 for one token, in the paper's stable form: numerator and denominator are aa e^pp, bb e^pp.
struct Wkv4State {
    Vector aa, bb, pp; // [C]
};
// r * wkv; `state` becomes the next one. decay is -exp(time_decay), first is time_first.
Vector wkv4(Floats r, Floats k, Floats v, Floats decay, Floats first, Wkv4State &state);

// Time mixing of RWKV-7 from its projections to what the output matrix reads.
struct Wkv7Input {
    std::size_t heads = 0, head_size = 0;
    Floats r, k, v, v_first;           // [C]; v_first is empty in the first layer
    Floats low_w, low_a, low_v, low_g; // [rank] after their activations; low_v is empty in the first layer
    Floats w2, a2, v2, g2;             // [rank, C] as in the checkpoint
    Floats w0, a0, v0, k_k, k_a, r_k, ln_weight, ln_bias; // [C]
};
// y [C]; `state` [H, N value, N key] becomes the next one.
Vector wkv7(const Wkv7Input &input, Vector &state);

// RWKV-5 and -6 (arXiv 2404.05892), from the projections to what the output matrix reads.
struct Wkv6Input {
    std::size_t heads = 0, head_size = 0;
    Floats r, k, v, gate;              // [C]; gate after its silu, empty where there is none
    Floats bonus, ln_weight, ln_bias;  // [C]
};
// y [C]; `state` [H, N key, N value] becomes the next one. decay [C] is what the state is multiplied by.
Vector wkv6(const Wkv6Input &input, std::span<const double> decay, Vector &state);
// exp(-exp(time_decay + w2^T low)); w2 [rank, C] as in the checkpoint.
Vector decay6(Floats time_decay, Floats low, Floats w2);
// One mixed input of version 6: n + (previous - n) (maa + w2^T low); w2 [rank, C].
Vector lerp6(std::span<const double> normalised, Floats previous, Floats maa, Floats low, Floats w2);
// 7a: h * ((low E) s2 + s0); E [R, R] is `matrix`, s2 [R, F].
Vector deep_embed(Floats h, Floats low, std::span<const double> matrix, Floats s2, Floats s0);

// Philox4x32-10, Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

struct Sampling { // as ff_sampling
    double temperature = 1, top_p = 1, presence = 0, frequency = 0, penalty_decay = 1;
    std::size_t top_k = 0;
    double min_p = 0, typical_p = 1;
    std::vector<std::pair<std::size_t, double>> logit_bias = {};
};
// How often each token was produced, decayed: `counts` [V] after `token` was produced.
void count_token(Vector &counts, std::size_t token, double penalty_decay);
std::size_t greedy(Floats logits, const Vector &counts, const Sampling &sampling); // the lowest id on a tie
// The probability of each token [V].
Vector probabilities(Floats logits, const Vector &counts, const Sampling &sampling);

} // namespace ff::reference
