#version 450
// out = act(W_s y_s) for the segments s of this launch, y_s vectors of scratch: what mix_project is where the mixed inputs are
// already there (RWKV-6), or nothing is mixed (DeepEmbed of 7a).
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#define WEIGHTS_BINDING kProjectManyWeights
layout(push_constant) uniform Params { ProjectParams p; };
layout(set = 0, binding = kProjectManyParams) readonly buffer Segments { uvec4 segments[]; };
layout(set = 0, binding = kProjectManyScratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kProjectManyScratch) readonly buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kProjectManyScratch) readonly buffer StepHeader { uint step_header[]; };
#include "lib/reduce.glsl"
#define UNIFORM_LANE team_lane()
#include "lib/weights.glsl"
#include "lib/activations.glsl"

uint input_at, activation;
uvec4 segment;

#include "lib/lane_inputs.glsl"
void compute_input(uint group, out vec4 low, out vec4 high) {
    low = lane_inputs(input_at + 2u * group, 2u);
    high = lane_inputs(input_at + 2u * group + 1u, 2u);
}
#include "lib/matvec.glsl"

void store_row(uint row, float value) { scratch[segment.w + row] = activate(value, activation); }

void main() {
    if (step_header[kStepRun] == 0u) return;
    uint s = p.segments_at, begin = 0u;
    while (gl_WorkGroupID.x >= segments[s].x) {
        begin = segments[s].x;
        s += 2u;
    }
    segment = segments[s];
    input_at = segments[s + 1u].x;
    activation = segments[s + 1u].y;
    bool plain = beside(segments[s + 1u].z);
    stage_input(p.groups, plain);
    matvec(segment.y, p.groups, (gl_WorkGroupID.x - begin) * kGroupRows, segment.z, plain);
}
