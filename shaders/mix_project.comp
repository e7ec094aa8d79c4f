#version 450
// out = act(W_s mix_s) for the segments s of this launch, mix_s = n + (kept - n) * mu_s with n = LN(x): token shift of
// RWKV (arXiv 2305.13048; RWKV-6 and -7 write the weight on the previous token, so do we). A workgroup takes kGroupRows
// rows of one segment; workgroup 0 also stores n as the next step's kept input, in the copy nobody reads in this step.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#include "lib/params.glsl"
#define WEIGHTS_BINDING kMixWeights
PARAMS(MixProjectParams);
layout(set = 0, binding = kMixParams) readonly buffer Parameters { vec4 parameters[]; };
layout(set = 0, binding = kMixParams) readonly buffer Segments { uvec4 segments[]; };
layout(set = 0, binding = kMixScratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kMixScratch) readonly buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kMixScratch) readonly buffer StepHeader { uint step_header[]; };
layout(set = 0, binding = kMixState) buffer State { vec4 state[]; };
#include "lib/reduce.glsl"
#define UNIFORM_LANE team_lane()
#include "lib/weights.glsl"
#include "lib/activations.glsl"
#include "lib/layer_norm.glsl"

vec2 statistics;
uint old_at, mix_at, activation;
uvec4 segment;

vec4 normalised(uint i) {
    return (scratch4[p.x_at + i] - statistics.x) * statistics.y * parameters[p.norm_at + i] +
           parameters[p.norm_at + 2u * p.groups + i];
}
vec4 shifted(uint i) {
    vec4 n = normalised(i);
    return n + (state[old_at + i] - n) * parameters[mix_at + i];
}
void compute_input(uint group, out vec4 low, out vec4 high) {
    low = shifted(2u * group);
    high = shifted(2u * group + 1u);
}
#include "lib/matvec.glsl"

void store_row(uint row, float value) { scratch[segment.w + row] = activate(value, activation); }

void main() {
    if (step_header[kStepRun] == 0u) return;
    uint vectors = 2u * p.groups; // of a row
    uint kept = p.kept_at + step_header[kStepSlot] * p.slot_stride;
    old_at = kept + step_header[kStepParity] * vectors;
    uint new_at = kept + (1u - step_header[kStepParity]) * vectors;

    uint s = p.segments_at, begin = 0u;
    while (gl_WorkGroupID.x >= segments[s].x) {
        begin = segments[s].x;
        s += 2u;
    }
    segment = segments[s];
    mix_at = segments[s + 1u].x;
    activation = segments[s + 1u].y;
    bool plain = beside(segments[s + 1u].z);

    statistics = layer_norm_statistics(p.x_at, p.width);
    stage_input(p.groups, plain);
    if (p.writes_kept != 0u && gl_WorkGroupID.x == 0u)
        for (uint i = gl_LocalInvocationID.x; i < vectors; i += kLocalSize) state[new_at + i] = normalised(i);

    matvec(segment.y, p.groups, (gl_WorkGroupID.x - begin) * kGroupRows, segment.z, plain);
}
