// The block layouts, byte-compatible with ggml (https://github.com/ggml-org/ggml, ggml-common.h) but for nf4. All
// integers are little-endian, all factors float16 unless said otherwise; e is the element, counted from 0.
//
// 32 elements; element e < 16 is in the low nibble of qs[e], e >= 16 in the high nibble of qs[e - 16]; bit e of the
// uint32 qh is the fifth bit of q:
//   q8_0  34 bytes  d, int8 q[32]         d * q
//   q4_0  18        d, qs[16]             d * (q - 8)
//   q4_1  20        d, m, qs[16]          d * q + m
//   q5_0  22        d, qh, qs[16]         d * (q - 16)
//   q5_1  24        d, m, qh, qs[16]      d * q + m
//
// 256 elements, in 8 groups of 32 with a 6-bit scale s and minimum m each, packed into 12 bytes p: group g < 4 has
// s = p[g] & 63 and m = p[g + 4] & 63; g >= 4 has s = p[g + 4] & 15 | p[g - 4] >> 6 << 4, m = p[g + 4] >> 4 |
// p[g] >> 6 << 4. Groups 2i and 2i + 1 are the low and the high nibbles of qs[32 i ...]:
//   q4_k  144       d, dmin, p[12], qs[128]            d * s * q - dmin * m
//   q5_k  176       d, dmin, p[12], qh[32], qs[128]    the same; bit g of qh[e % 32] is the fifth bit of q
//
// 256 elements in 16 groups of 16 with an int8 scale each. Half h, quarter k, e = 128 h + 32 k + l: the low four bits
// of q are in ql[64 h + 32 (k & 1) + l], low nibble for k < 2, high for k >= 2; the upper two are bits 2k of qh[32 h +
// l]:
//   q6_k  210       ql[128], qh[64], int8 s[16], d     d * s * (q - 32)
//
// 64 elements, the sixteen quantiles of a normal distribution of QLoRA (arXiv 2305.14314, appendix E): element 2i is in
// the low nibble of qs[i], 2i + 1 in the high one:
//   nf4   34        d, qs[32]             d * kNf4[q]
#pragma once

#include <array>
#include <cstddef>

namespace ff::loader {

constexpr std::array<float, 16> kNf4 = {-1.0f,
                                        -0.6961928009986877f,
                                        -0.5250730514526367f,
                                        -0.39491748809814453f,
                                        -0.28444138169288635f,
                                        -0.18477343022823334f,
                                        -0.09105003625154495f,
                                        0.0f,
                                        0.07958029955625534f,
                                        0.16093020141124725f,
                                        0.24611230194568634f,
                                        0.33791524171829224f,
                                        0.44070982933044434f,
                                        0.5626170039176941f,
                                        0.7229568362236023f,
                                        1.0f};

// One block each; nothing is assumed about alignment.
void decode_q8_0(const std::byte *block, float *values);
void decode_q4_0(const std::byte *block, float *values);
void decode_q4_1(const std::byte *block, float *values);
void decode_q5_0(const std::byte *block, float *values);
void decode_q5_1(const std::byte *block, float *values);
void decode_q4_k(const std::byte *block, float *values);
void decode_q5_k(const std::byte *block, float *values);
void decode_q6_k(const std::byte *block, float *values);
void decode_nf4(const std::byte *block, float *values);

void encode_q8_0(const float *values, std::byte *block);
void encode_q4_0(const float *values, std::byte *block);
void encode_q4_1(const float *values, std::byte *block);
void encode_q5_0(const float *values, std::byte *block);
void encode_q5_1(const float *values, std::byte *block);
void encode_q4_k(const float *values, std::byte *block);
void encode_q5_k(const float *values, std::byte *block);
void encode_q6_k(const float *values, std::byte *block);
void encode_nf4(const float *values, std::byte *block);

} // namespace ff::loader
