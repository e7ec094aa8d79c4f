#version 450
// DeepEmbed of RWKV-7a (BlinkDL's rwkv_v7a_demo.py): the hidden units of channel mixing are gated by the token itself,
//   h *= ((s1^T x) E) s2 + s0,  E = s_emb[token] + s_emb_x LN0(emb[token]) as an R x R matrix.
// Every workgroup makes the R numbers (s1^T x) E for itself (with ALONE, every invocation), then takes an invocation a hidden
// unit. A large table is
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

#include "lib/deep_embed.glsl"

void main() {
    uint row = step_header[kStepToken] - p.first_row; // wraps where the row is in an earlier part
    if (step_header[kStepRun] == 0u || row >= p.rows) return;
    uint groups = p.rank / 8u; // of a row of E; the rank is a multiple of 8
    turn(row, groups, 4u * p.matrix_at, 4u * p.low_at);
    uint unit = gl_WorkGroupID.x * gl_WorkGroupSize.x + gl_LocalInvocationID.x;
    if (unit >= p.width) return;
    scratch[4u * p.h_at + unit] *= gate_of(unit);
}
