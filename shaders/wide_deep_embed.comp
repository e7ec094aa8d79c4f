#version 450
// DeepEmbed of RWKV-7a for all rows of a wide step, a workgroup a row; the formulas are deep_embed.comp's. A large table is
// several launches: the one that has a row's token does its work.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#define WEIGHTS_BINDING kDeepEmbedWeights
layout(push_constant) uniform Params { WideDeepEmbedParams p; };
layout(set = 0, binding = kDeepEmbedParams) readonly buffer Parameters { float parameters[]; };
layout(set = 0, binding = kDeepEmbedScratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kDeepEmbedScratch) readonly buffer Header { uint header[]; };
#include "lib/weights.glsl"
layout(local_size_x_id = kSpecLocalSize) in;

const uint kMaxRank = 32u;
shared float turned[kMaxRank]; // (s1^T x) E

void main() {
    uint t = gl_WorkGroupID.x;
    if (t >= header[kWideRows]) return;
    uint row = header[kWideRowsAt + 2u * t] - p.first_row; // wraps where the row is in an earlier part
    if (row >= p.rows) return;
    uint groups = p.rank / 8u; // of a row of E; the rank is a multiple of 8
    if (gl_LocalInvocationID.x < groups) {
        vec4 low = vec4(0.0), high = vec4(0.0);
        uint matrix = 4u * (p.matrix_at + t * p.matrix_stride), x_at = 4u * (p.low_at + t * p.low_stride);
        for (uint i = 0u; i < p.rank; ++i) {
            vec4 e_low, e_high;
            load_weights(row * row_units(p.rank * groups), p.rank * groups, i * groups + gl_LocalInvocationID.x, e_low, e_high);
            uint at = matrix + i * p.rank + 8u * gl_LocalInvocationID.x;
            e_low += vec4(scratch[at], scratch[at + 1u], scratch[at + 2u], scratch[at + 3u]);
            e_high += vec4(scratch[at + 4u], scratch[at + 5u], scratch[at + 6u], scratch[at + 7u]);
            float x = scratch[x_at + i];
            low += x * e_low;
            high += x * e_high;
        }
        for (uint i = 0u; i < 4u; ++i) {
            turned[8u * gl_LocalInvocationID.x + i] = low[i];
            turned[8u * gl_LocalInvocationID.x + 4u + i] = high[i];
        }
    }
    barrier();
    for (uint unit = gl_LocalInvocationID.x; unit < p.width; unit += gl_WorkGroupSize.x) {
        float gate = parameters[4u * p.bias_at + unit];
        for (uint i = 0u; i < p.rank; ++i) gate += turned[i] * parameters[4u * (p.up_at + i * p.up_stride) + unit];
        scratch[4u * (p.h_at + t * p.h_stride) + unit] *= gate;
    }
}
