#version 450
// The data-dependent token shift of RWKV-6 (arXiv 2404.05892, Finch): for c of w k v r g
//   x_c = n + (kept - n) (maa_c + w2_c^T low_c),  n = LN(x),  low = tanh(w1^T x_x)
// An invocation a channel of one c; gl_WorkGroupID.y is c.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#define WEIGHTS_BINDING kLerp6Weights
layout(push_constant) uniform Params { Lerp6Params p; };
layout(set = 0, binding = kLerp6Params) readonly buffer Parameters { float parameters[]; };
layout(set = 0, binding = kLerp6Scratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kLerp6Scratch) readonly buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kLerp6Scratch) readonly buffer StepHeader { uint step_header[]; };
layout(set = 0, binding = kLerp6State) readonly buffer State { float state[]; };
#include "lib/reduce.glsl"
#include "lib/weights.glsl"
#include "lib/layer_norm.glsl"

void main() {
    if (step_header[kStepRun] == 0u) return;
    vec2 statistics = layer_norm_statistics(p.x_at, p.width);
    uint channel = gl_WorkGroupID.x * kLocalSize + gl_LocalInvocationID.x, which = gl_WorkGroupID.y;
    if (channel >= p.width) return;

    uint padded = 8u * p.groups;
    float mix = parameters[4u * p.mixes_at + which * padded + channel];
    for (uint g = 0u; g < p.rank; ++g) {
        vec4 low, high;
        load_weights((which * p.width + channel) * row_units(p.rank), p.rank, g, low, high);
        uint at = p.low_at + which * p.low_stride / 4u + 2u * g;
        mix += dot(low, scratch4[at]) + dot(high, scratch4[at + 1u]);
    }
    float n = (scratch[4u * p.x_at + channel] - statistics.x) * statistics.y * parameters[4u * p.norm_at + channel] +
              parameters[4u * p.norm_at + padded + channel];
    uint old = 4u * (p.kept_at + step_header[kStepSlot] * p.slot_stride) + step_header[kStepParity] * padded;
    scratch[4u * (p.mixed_at + which * p.mixed_stride) + channel] = n + (state[old + channel] - n) * mix;
}
