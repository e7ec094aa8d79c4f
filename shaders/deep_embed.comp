#version 450
// DeepEmbed of RWKV-7a (BlinkDL's rwkv_v7a_demo.py): the hidden units of channel mixing are gated by the token itself,
//   h *= ((s1^T x) E) s2 + s0,  E = s_emb[token] + s_emb_x LN0(emb[token]) as an R x R matrix.
// Every workgroup makes the R numbers (s1^T x) E for itself, then takes an invocation a hidden unit. A large table is
// several launches, each with a part of the rows bound: the one that has the token's row does the work.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#define WEIGHTS_BINDING kDeepEmbedWeights
layout(push_constant) uniform Params { DeepEmbedParams p; };
layout(set = 0, binding = kDeepEmbedParams) readonly buffer Parameters { float parameters[]; };
layout(set = 0, binding = kDeepEmbedScratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kDeepEmbedScratch) readonly buffer StepHeader { uint step_header[]; };
#include "lib/weights.glsl"
layout(local_size_x_id = kSpecLocalSize) in;

const uint kMaxRank = 32u;
shared float turned[kMaxRank]; // (s1^T x) E

void main() {
    uint row = step_header[kStepToken] - p.first_row; // wraps where the row is in an earlier part
    if (step_header[kStepRun] == 0u || row >= p.rows) return;
    uint groups = p.rank / 8u; // of a row of E; the rank is a multiple of 8
    if (gl_LocalInvocationID.x < groups) {
        vec4 low = vec4(0.0), high = vec4(0.0);
        for (uint i = 0u; i < p.rank; ++i) {
            vec4 e_low, e_high;
            load_weights(row * row_units(p.rank * groups), p.rank * groups, i * groups + gl_LocalInvocationID.x, e_low, e_high);
            uint at = 4u * p.matrix_at + i * p.rank + 8u * gl_LocalInvocationID.x;
            e_low += vec4(scratch[at], scratch[at + 1u], scratch[at + 2u], scratch[at + 3u]);
            e_high += vec4(scratch[at + 4u], scratch[at + 5u], scratch[at + 6u], scratch[at + 7u]);
            float x = scratch[4u * p.low_at + i];
            low += x * e_low;
            high += x * e_high;
        }
        for (uint i = 0u; i < 4u; ++i) {
            turned[8u * gl_LocalInvocationID.x + i] = low[i];
            turned[8u * gl_LocalInvocationID.x + 4u + i] = high[i];
        }
    }
    barrier();
    uint unit = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (unit >= p.width) return;
    float gate = parameters[4u * p.bias_at + unit];
    for (uint i = 0u; i < p.rank; ++i) gate += turned[i] * parameters[4u * (p.up_at + i * p.up_stride) + unit];
    scratch[4u * p.h_at + unit] *= gate;
}
