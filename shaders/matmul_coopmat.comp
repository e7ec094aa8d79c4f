#version 450
// What matmul.comp computes, by cooperative matrices of float16 with float32 sums (VK_KHR_cooperative_matrix). A workgroup
// has a tile of kTileRows rows and kTileTokens tokens as there; each of its subgroups has a part of the tile, made of
// matrices of the shape that the device offers, and all take kTileGroups weight groups at a time from shared memory.
//
// float16 alone is not enough: the kernel test's worst result is 1.7e-3 off with inputs rounded to it (the model tests allow
// 5e-5 between prefill and decode), and beyond 65504, which relu^2 may reach, it has no numbers. So an input is two of them,
// upper + rest / 2048, together 22 bits, and the rests have sums of their own: 7e-7 off, where matmul.comp is 1.3e-6. What
// is not below 32768 has a third part, top * 2048, multiplied only where a tile holds such an input: a product of zeros
// changes no sum, so results depend neither on the tile nor on the other rows of the step. From 2^26 on inputs are
// computed wrong. An upper part below float16's normal numbers is left to the rest, for matrix units may take those for
// zero. (A scale for each row instead would have to be known before the first tile: one more pass over the inputs.)
//
// Weights of float16 are as stored; those of bfloat16 fit but for magnitudes above 65504 (no trained model has one) and
// bits below 2^-24. Dequantised weights have more bits than float16 (1.7e-3 off), so they are split as inputs are, which
// takes a third product. float32 weights stay with matmul.comp: who keeps them wants all of their bits.
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_control_flow_attributes : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#include "lib/interface.h"
#define WEIGHTS_BINDING kMatmulWeights
layout(local_size_x_id = kSpecLocalSize) in;
layout(constant_id = kSpecTileRows) const uint kTileRows = 64u;
layout(constant_id = kSpecTileTokens) const uint kTileTokens = 64u;
layout(constant_id = kSpecSubgroupRows) const uint kSubgroupRows = 32u;
layout(constant_id = kSpecSubgroupTokens) const uint kSubgroupTokens = 32u;
layout(constant_id = kSpecMatrixRows) const uint kMatrixRows = 16u;
layout(constant_id = kSpecMatrixTokens) const uint kMatrixTokens = 16u;
layout(constant_id = kSpecMatrixDepth) const uint kMatrixDepth = 16u;
layout(constant_id = kSpecByInput) const uint kByInput = 0u;
layout(push_constant) uniform Params { MatmulParams p; };
layout(set = 0, binding = kMatmulParams) readonly buffer Segments { uvec4 segments[]; };
layout(set = 0, binding = kMatmulScratch) readonly buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kMatmulScratch) readonly buffer Scratch { float scratch[]; };
layout(set = 0, binding = kMatmulScratch) readonly buffer Header { uint header[]; };
layout(set = 0, binding = kMatmulOut) buffer Out { float results[]; };
#include "lib/weights.glsl"
#include "lib/activations.glsl"

// In f16vec4; the 16 bytes behind each row of a tile keep neighbouring rows in different banks.
const uint kDepth = 8u * kTileGroups, kStride = kDepth / 4u + 2u;
const uint kTurnedStride = kTileRows / 4u + 2u; // of a tile of weights kept by input: [column][row], never the larger one
const uint kAcross = kTileRows / kSubgroupRows, kSubgroups = kAcross * (kTileTokens / kSubgroupTokens);
const uint kMatrices = kSubgroupRows / kMatrixRows, kMatrixColumns = kSubgroupTokens / kMatrixTokens;
shared f16vec4 weight_tile[kTileRows * kStride]; // [row][column]
shared f16vec4 input_tile[kTileTokens * kStride]; // [token][column]
shared f16vec4 input_rest_tile[kTileTokens * kStride];
#ifdef WEIGHTS_BLOCKS
shared f16vec4 weight_rest_tile[kTileRows * kStride];
#endif
shared float result_tile[kSubgroups * kMatrixRows * kMatrixTokens]; // a matrix of each subgroup: [token][row]
shared uint last_large; // 1 + the last tile of columns with an input that has a top part

#define WEIGHT_MATRIX coopmat<float16_t, gl_ScopeSubgroup, kMatrixRows, kMatrixDepth, gl_MatrixUseA>
#define INPUT_MATRIX coopmat<float16_t, gl_ScopeSubgroup, kMatrixDepth, kMatrixTokens, gl_MatrixUseB>
#define SUM_MATRIX coopmat<float, gl_ScopeSubgroup, kMatrixRows, kMatrixTokens, gl_MatrixUseAccumulator>
#define ROWS gl_CooperativeMatrixLayoutRowMajor
#define COLUMNS gl_CooperativeMatrixLayoutColumnMajor

const float kPartScale = 2048.0; // from part to part: float16's significand has 11 bits
const float kLarge = 32768.0, kSmall = 6.103515625e-05; // 2^15, 2^-14

// To the bits of float16's significand. By integers: Mesa's compilers take float(float16_t(x)) for x.
vec4 rounded(vec4 x) { return uintBitsToFloat((floatBitsToUint(x) + 0x1000u) & 0xffffe000u); }
vec4 upper_part(vec4 x) { return mix(rounded(x), vec4(0.0), lessThan(abs(x), vec4(kSmall))); }
f16vec4 rest_part(vec4 x, vec4 upper) { return f16vec4((x - upper) * kPartScale); }
vec4 top_part(vec4 x) { return mix(vec4(0.0), rounded(x), greaterThanEqual(abs(x), vec4(kLarge))); }

// Two quads of a tile, of dequantised or turned weights.
void put_quads(uint at, vec4 low, vec4 high) {
#ifdef WEIGHTS_BLOCKS
    vec4 upper_low = upper_part(low), upper_high = upper_part(high);
    weight_tile[at] = f16vec4(upper_low);
    weight_tile[at + 1u] = f16vec4(upper_high);
    weight_rest_tile[at] = rest_part(low, upper_low);
    weight_rest_tile[at + 1u] = rest_part(high, upper_high);
#else
    weight_tile[at] = f16vec4(low);
    weight_tile[at + 1u] = f16vec4(high);
#endif
}

// A group of a row.
void put_weights(uint at, uint row_at, uint groups, uint group, bool plain) {
#ifdef WEIGHTS_F16
    uvec4 q = weights[row_at + group];
    weight_tile[at] = f16vec4(unpackFloat2x16(q.x), unpackFloat2x16(q.y));
    weight_tile[at + 1u] = f16vec4(unpackFloat2x16(q.z), unpackFloat2x16(q.w));
#else
    vec4 low, high;
    load_weights(row_at, groups, group, plain, low, high);
    put_quads(at, low, high);
#endif
}
// The weights of a tile: of groups base .. base + kTileGroups - 1, zero beyond the last one, and rows from first_row on.
void put_by_row(uint base, uint groups, uint rows, uint weights_at, uint first_row, bool plain) {
    uint units = row_units(groups, plain);
    for (uint i = gl_LocalInvocationID.x; i < kTileRows * kTileGroups; i += gl_WorkGroupSize.x) {
        uint group = i % kTileGroups, at = i / kTileGroups * kStride + 2u * group;
        uint row = min(first_row + i / kTileGroups, rows - 1u);
        // Beyond the last one inputs are zero, but what was here before may be no number.
        if (base + group < groups) put_weights(at, weights_at + row * units, groups, base + group, plain);
        else put_quads(at, vec4(0.0), vec4(0.0));
    }
}
// Of a matrix kept by input.
void put_by_input(uint base, uint inputs, uint rows, uint weights_at, uint first_row) {
    uint groups = (rows + 7u) / 8u;
    for (uint i = gl_LocalInvocationID.x; i < kTileRows / 8u * kDepth; i += gl_WorkGroupSize.x) {
        uint of_tile = i % (kTileRows / 8u), column = i / (kTileRows / 8u);
        vec4 low = vec4(0.0), high = vec4(0.0);
        if (8u * base + column < inputs)
            load_outputs(weights_at, groups, 8u * base + column, min(first_row / 8u + of_tile, groups - 1u), low, high);
        put_quads(column * kTurnedStride + 2u * of_tile, low, high);
    }
}
#define LOAD_WEIGHTS(matrix, tile, row, column) \
    if (kByInput != 0u) coopMatLoad(matrix, tile, (column) * kTurnedStride + (row) / 4u, kTurnedStride, COLUMNS); \
    else coopMatLoad(matrix, tile, (row) * kStride + (column) / 4u, kStride, ROWS)

void put_inputs(uint at, vec4 x, uint tile) {
    if (any(greaterThanEqual(abs(x), vec4(kLarge)))) {
        atomicMax(last_large, tile);
        x -= top_part(x);
    }
    vec4 upper = upper_part(x);
    input_tile[at] = f16vec4(upper);
    input_rest_tile[at] = rest_part(x, upper);
}

void main() {
    uint rows_of_step = header[p.answers != 0u ? kWideAnswers : kWideRows];
    uint first_token = gl_WorkGroupID.y * kTileTokens;
    if (first_token >= rows_of_step) return;
    uint s = p.segments_at, begin = 0u;
    while (gl_WorkGroupID.x >= segments[s].x) {
        begin = segments[s].x;
        s += 3u;
    }
    uvec4 first = segments[s], second = segments[s + 1u], third = segments[s + 2u];
    uint rows = first.z, inputs = second.w, first_row = (gl_WorkGroupID.x - begin) * kTileRows;
    uint groups = kByInput != 0u ? (inputs + 7u) / 8u : second.w;

    uint part_row = gl_SubgroupID % kAcross * kSubgroupRows, part_token = gl_SubgroupID / kAcross * kSubgroupTokens;
    SUM_MATRIX sums[kMatrices * kMatrixColumns], rest_sums[kMatrices * kMatrixColumns];
    [[unroll]] for (uint i = 0u; i < kMatrices * kMatrixColumns; ++i) {
        sums[i] = SUM_MATRIX(0.0);
        rest_sums[i] = SUM_MATRIX(0.0);
    }
    if (gl_LocalInvocationID.x == 0u) last_large = 0u;
    barrier();

    for (uint base = 0u; base < groups; base += kTileGroups) {
        if (kByInput != 0u) put_by_input(base, inputs, rows, first.y, first_row);
        else put_by_row(base, groups, rows, first.y, first_row, beside(second.z));
        for (uint i = gl_LocalInvocationID.x; i < kTileTokens * kTileGroups; i += gl_WorkGroupSize.x) {
            uint group = i % kTileGroups, at = i / kTileGroups * kStride + 2u * group;
            uint token = min(first_token + i / kTileGroups, rows_of_step - 1u);
            bool inside = base + group < groups;
            uint from = second.x + token * third.y + 2u * (inside ? base + group : 0u);
            put_inputs(at, inside ? scratch4[from] : vec4(0.0), base + 1u);
            put_inputs(at + 1u, inside ? scratch4[from + 1u] : vec4(0.0), base + 1u);
        }
        barrier();
        [[unroll]] for (uint k = 0u; k < kDepth; k += kMatrixDepth) {
            INPUT_MATRIX x[kMatrixColumns], x_rest[kMatrixColumns];
            [[unroll]] for (uint t = 0u; t < kMatrixColumns; ++t) {
                uint at = (part_token + t * kMatrixTokens) * kStride + k / 4u;
                coopMatLoad(x[t], input_tile, at, kStride, COLUMNS);
                coopMatLoad(x_rest[t], input_rest_tile, at, kStride, COLUMNS);
            }
            [[unroll]] for (uint r = 0u; r < kMatrices; ++r) {
                uint row = part_row + r * kMatrixRows, i = r * kMatrixColumns;
                WEIGHT_MATRIX w;
                LOAD_WEIGHTS(w, weight_tile, row, k);
                [[unroll]] for (uint t = 0u; t < kMatrixColumns; ++t) {
                    sums[i + t] = coopMatMulAdd(w, x[t], sums[i + t]);
                    rest_sums[i + t] = coopMatMulAdd(w, x_rest[t], rest_sums[i + t]);
                }
#ifdef WEIGHTS_BLOCKS
                LOAD_WEIGHTS(w, weight_rest_tile, row, k);
                [[unroll]] for (uint t = 0u; t < kMatrixColumns; ++t)
                    rest_sums[i + t] = coopMatMulAdd(w, x[t], rest_sums[i + t]);
#endif
            }
        }
        bool large = last_large == base + 1u; // of all invocations
        barrier();
        if (!large) continue;
        for (uint i = gl_LocalInvocationID.x; i < kTileTokens * kTileGroups; i += gl_WorkGroupSize.x) {
            uint group = i % kTileGroups, at = i / kTileGroups * kStride + 2u * group;
            uint token = min(first_token + i / kTileGroups, rows_of_step - 1u);
            bool inside = base + group < groups;
            uint from = second.x + token * third.y + 2u * (inside ? base + group : 0u);
            input_tile[at] = f16vec4(inside ? top_part(scratch4[from]) / kPartScale : vec4(0.0));
            input_tile[at + 1u] = f16vec4(inside ? top_part(scratch4[from + 1u]) / kPartScale : vec4(0.0));
        }
        barrier();
        [[unroll]] for (uint r = 0u; r < kMatrices; ++r)
            [[unroll]] for (uint t = 0u; t < kMatrixColumns; ++t) {
                SUM_MATRIX top_sum = SUM_MATRIX(0.0);
                [[unroll]] for (uint k = 0u; k < kDepth; k += kMatrixDepth) {
                    uint row = part_row + r * kMatrixRows;
                    INPUT_MATRIX x;
                    WEIGHT_MATRIX w;
                    coopMatLoad(x, input_tile, (part_token + t * kMatrixTokens) * kStride + k / 4u, kStride, COLUMNS);
                    LOAD_WEIGHTS(w, weight_tile, row, k);
                    top_sum = coopMatMulAdd(w, x, top_sum);
#ifdef WEIGHTS_BLOCKS
                    LOAD_WEIGHTS(w, weight_rest_tile, row, k);
                    sums[r * kMatrixColumns + t] = coopMatMulAdd(w, x, sums[r * kMatrixColumns + t]);
#endif
                }
                sums[r * kMatrixColumns + t] = sums[r * kMatrixColumns + t] + top_sum * kPartScale;
            }
        barrier();
    }

    const uint kSize = kMatrixRows * kMatrixTokens;
    [[unroll]] for (uint r = 0u; r < kMatrices; ++r)
        [[unroll]] for (uint t = 0u; t < kMatrixColumns; ++t) {
            SUM_MATRIX sum = sums[r * kMatrixColumns + t] + rest_sums[r * kMatrixColumns + t] * (1.0 / kPartScale);
            coopMatStore(sum, result_tile, gl_SubgroupID * kSize, kMatrixRows, COLUMNS);
            barrier();
            for (uint i = gl_SubgroupInvocationID; i < kSize; i += gl_SubgroupSize) {
                uint token = first_token + part_token + t * kMatrixTokens + i / kMatrixRows;
                uint row = first_row + part_row + r * kMatrixRows + i % kMatrixRows;
                if (token >= rows_of_step || row >= rows) continue;
                float value = result_tile[gl_SubgroupID * kSize + i];
                uint place = p.answers != 0u ? header[kWideAnswersAt + 2u * token + 1u] : token;
                uint at = first.w + place * third.x + row;
                if (second.y == kActivationAdd)
                    results[at] += (third.z == kNone ? 1.0 : scratch[third.z + token * third.w + row]) * value;
                else
                    results[at] = activate(value, second.y);
            }
            barrier();
        }
}
