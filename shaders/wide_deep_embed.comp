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

#include "lib/deep_embed.glsl"

void main() {
    uint t = gl_WorkGroupID.x;
    if (t >= header[kWideRows]) return;
    uint row = header[kWideRowsAt + 2u * t] - p.first_row; // wraps where the row is in an earlier part
    if (row >= p.rows) return;
    uint groups = p.rank / 8u; // of a row of E; the rank is a multiple of 8
    turn(row, groups, 4u * (p.matrix_at + t * p.matrix_stride), 4u * (p.low_at + t * p.low_stride));
    for (uint unit = gl_LocalInvocationID.x; unit < p.width; unit += gl_WorkGroupSize.x)
        scratch[4u * (p.h_at + t * p.h_stride) + unit] *= gate_of(unit);
}
