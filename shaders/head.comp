#version 450
// logits = W_head LN_out(x), a workgroup for kGroupRows words of the vocabulary. A large head is several launches, each
// with its part of the rows bound.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#include "lib/params.glsl"
#define WEIGHTS_BINDING kHeadWeights
PARAMS(HeadParams);
layout(set = 0, binding = kHeadParams) readonly buffer Parameters { vec4 parameters[]; };
layout(set = 0, binding = kHeadScratch) readonly buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kHeadScratch) readonly buffer StepHeader { uint step_header[]; };
layout(set = 0, binding = kHeadLogits) writeonly buffer Logits { float logits[]; }; // [S, V]
#include "lib/reduce.glsl"
#define UNIFORM_LANE team_lane()
#include "lib/weights.glsl"
#include "lib/layer_norm.glsl"

vec2 statistics;
uint out_at;

vec4 normalised(uint i) {
    return (scratch4[p.x_at + i] - statistics.x) * statistics.y * parameters[p.norm_at + i] +
           parameters[p.norm_at + 2u * p.groups + i];
}
void compute_input(uint group, out vec4 low, out vec4 high) {
    low = normalised(2u * group);
    high = normalised(2u * group + 1u);
}
#include "lib/matvec.glsl"

void store_row(uint row, float value) { logits[out_at + row] = value; }

void main() {
    if (step_header[kStepLogits] == 0u) return;
    statistics = layer_norm_statistics(p.x_at, p.width);
    stage_input(p.groups, false);
    out_at = step_header[kStepSlot] * p.vocabulary + p.first_row;
    matvec(0u, p.groups, gl_WorkGroupID.x * kGroupRows, p.rows, false);
}
