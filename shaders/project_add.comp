#version 450
// x += gate * (W y): output projection of time mixing, value projection of channel mixing (gate = sigmoid(receptance) in
// RWKV-4 to -6, absent in -7). Each row of x is read and written by the one team that owns it.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#include "lib/params.glsl"
#define WEIGHTS_BINDING kProjectWeights
PARAMS(ProjectAddParams);
layout(set = 0, binding = kProjectScratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kProjectScratch) readonly buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kProjectScratch) readonly buffer StepHeader { uint step_header[]; };
#include "lib/reduce.glsl"
#define UNIFORM_LANE team_lane()
#include "lib/weights.glsl"

#include "lib/lane_inputs.glsl"
void compute_input(uint group, out vec4 low, out vec4 high) {
    low = lane_inputs(p.in_at + 2u * group, 2u);
    high = lane_inputs(p.in_at + 2u * group + 1u, 2u);
}
#include "lib/matvec.glsl"

void store_row(uint row, float value) {
    scratch[p.result + row] += (p.gate == kNone ? 1.0 : scratch[p.gate + row]) * value;
}

void main() {
    if (step_header[kStepRun] == 0u) return;
    stage_input(p.groups, false);
    matvec(0u, p.groups, gl_WorkGroupID.x * kGroupRows, p.rows, false);
}
