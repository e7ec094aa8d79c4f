#version 450
// Matrices times the rows of a wide step: out[t] = act(W in[t]), or out[t] += gate[t] (W in[t]), for the segments of this
// launch. A workgroup has a tile of kTileRows rows of one segment and kTileTokens tokens; it takes kTileGroups weight
// groups (8 columns each) at a time into shared memory, widened to float32 and turned, and every invocation adds up its
// quads of rows and tokens in registers. A sum goes by column whatever the tile, so results do not depend on it, nor on
// the other rows of the step.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#define WEIGHTS_BINDING kMatmulWeights
layout(local_size_x_id = kSpecLocalSize) in;
layout(constant_id = kSpecTileRows) const uint kTileRows = 64u;
layout(constant_id = kSpecTileTokens) const uint kTileTokens = 64u;
layout(constant_id = kSpecThreadRows) const uint kThreadRows = 2u;
layout(constant_id = kSpecThreadTokens) const uint kThreadTokens = 2u;
layout(constant_id = kSpecByInput) const uint kByInput = 0u;
layout(push_constant) uniform Params { MatmulParams p; };
layout(set = 0, binding = kMatmulParams) readonly buffer Segments { uvec4 segments[]; };
layout(set = 0, binding = kMatmulScratch) readonly buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kMatmulScratch) readonly buffer Scratch { float scratch[]; };
layout(set = 0, binding = kMatmulScratch) readonly buffer Header { uint header[]; };
layout(set = 0, binding = kMatmulOut) buffer Out { float results[]; };
#include "lib/weights.glsl"
#include "lib/activations.glsl"

const uint kRowQuads = kTileRows / 4u, kTokenQuads = kTileTokens / 4u, kDepth = 8u * kTileGroups;
shared vec4 weight_tile[kDepth * kRowQuads];  // [column][row]
shared vec4 input_tile[kDepth * kTokenQuads]; // [column][token]

// The weights of a tile: of groups base .. base + kTileGroups - 1, zero beyond the last one, and rows from first_row on.
void load_by_row(uint base, uint groups, uint rows, uint weights_at, uint first_row, bool plain) {
    uint units = row_units(groups, plain);
    for (uint i = gl_LocalInvocationID.x; i < kRowQuads * kTileGroups; i += gl_WorkGroupSize.x) {
        uint quad = i % kRowQuads, group = i / kRowQuads;
        mat4 low = mat4(0.0), high = mat4(0.0); // [row][column]
        if (base + group < groups)
            for (uint r = 0u; r < 4u; ++r) {
                uint row = min(first_row + 4u * quad + r, rows - 1u);
                load_weights(weights_at + row * units, groups, base + group, plain, low[r], high[r]);
            }
        low = transpose(low);
        high = transpose(high);
        for (uint c = 0u; c < 4u; ++c) {
            weight_tile[(8u * group + c) * kRowQuads + quad] = low[c];
            weight_tile[(8u * group + 4u + c) * kRowQuads + quad] = high[c];
        }
    }
}
// Of a matrix kept by input.
void load_by_input(uint base, uint inputs, uint rows, uint weights_at, uint first_row) {
    uint groups = (rows + 7u) / 8u;
    for (uint i = gl_LocalInvocationID.x; i < kRowQuads / 2u * kDepth; i += gl_WorkGroupSize.x) {
        uint of_tile = i % (kRowQuads / 2u), column = i / (kRowQuads / 2u);
        vec4 low = vec4(0.0), high = vec4(0.0);
        if (8u * base + column < inputs)
            load_outputs(weights_at, groups, 8u * base + column, min(first_row / 8u + of_tile, groups - 1u), low, high);
        weight_tile[column * kRowQuads + 2u * of_tile] = low;
        weight_tile[column * kRowQuads + 2u * of_tile + 1u] = high;
    }
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
    bool plain = beside(second.z);

    uint thread_row = gl_LocalInvocationID.x % (kRowQuads / kThreadRows) * kThreadRows;
    uint thread_token = gl_LocalInvocationID.x / (kRowQuads / kThreadRows) * kThreadTokens;
    vec4 sums[4u * kThreadTokens * kThreadRows];
    for (uint i = 0u; i < 4u * kThreadTokens * kThreadRows; ++i) sums[i] = vec4(0.0);

    for (uint base = 0u; base < groups; base += kTileGroups) {
        if (kByInput != 0u) load_by_input(base, inputs, rows, first.y, first_row);
        else load_by_row(base, groups, rows, first.y, first_row, plain);
        for (uint i = gl_LocalInvocationID.x; i < kTokenQuads * kTileGroups; i += gl_WorkGroupSize.x) {
            uint quad = i % kTokenQuads, group = i / kTokenQuads;
            mat4 low = mat4(0.0), high = mat4(0.0); // [token][column]
            if (base + group < groups)
                for (uint r = 0u; r < 4u; ++r) {
                    uint t = min(first_token + 4u * quad + r, rows_of_step - 1u);
                    uint at = second.x + t * third.y + 2u * (base + group);
                    low[r] = scratch4[at];
                    high[r] = scratch4[at + 1u];
                }
            low = transpose(low);
            high = transpose(high);
            for (uint c = 0u; c < 4u; ++c) {
                input_tile[(8u * group + c) * kTokenQuads + quad] = low[c];
                input_tile[(8u * group + 4u + c) * kTokenQuads + quad] = high[c];
            }
        }
        barrier();
        for (uint k = 0u; k < kDepth; ++k) {
            vec4 w[kThreadRows], x[kThreadTokens];
            for (uint i = 0u; i < kThreadRows; ++i) w[i] = weight_tile[k * kRowQuads + thread_row + i];
            for (uint i = 0u; i < kThreadTokens; ++i) x[i] = input_tile[k * kTokenQuads + thread_token + i];
            for (uint t = 0u; t < kThreadTokens; ++t)
                for (uint c = 0u; c < 4u; ++c)
                    for (uint r = 0u; r < kThreadRows; ++r) sums[(4u * t + c) * kThreadRows + r] += w[r] * x[t][c];
        }
        barrier();
    }

    for (uint t = 0u; t < 4u * kThreadTokens; ++t) {
        uint token = first_token + 4u * thread_token + t;
        if (token >= rows_of_step) break;
        uint place = p.answers != 0u ? header[kWideAnswersAt + 2u * token + 1u] : token;
        for (uint r = 0u; r < kThreadRows; ++r)
            for (uint c = 0u; c < 4u; ++c) {
                uint row = first_row + 4u * (thread_row + r) + c;
                if (row >= rows) break;
                float value = sums[t * kThreadRows + r][c];
                uint at = first.w + place * third.x + row;
                if (second.y == kActivationAdd)
                    results[at] += (third.z == kNone ? 1.0 : scratch[third.z + token * third.w + row]) * value;
                else
                    results[at] = activate(value, second.y);
            }
    }
}
