#version 450
// x += W_o (r * wkv), with the WKV operator of RWKV-4 in the prologue (arXiv 2305.13048, WKV operator and the stable form of
// its appendix): numerator and denominator are kept as aa e^pp and bb e^pp, pp the largest exponent so far, so no
// exponential exceeds 1. Every workgroup computes all of wkv from the old copy of the state; the first stores the new.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#define WEIGHTS_BINDING kWkv4Weights
layout(push_constant) uniform Params { Wkv4Params p; };
layout(set = 0, binding = kWkv4Params) readonly buffer Parameters { vec4 parameters[]; };
layout(set = 0, binding = kWkv4Scratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kWkv4Scratch) readonly buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kWkv4Scratch) readonly buffer StepHeader { uint step_header[]; };
layout(set = 0, binding = kWkv4State) buffer State { vec4 state[]; };
#include "lib/reduce.glsl"
#define UNIFORM_LANE team_lane()
#include "lib/weights.glsl"

uint old_at;

vec4 gated_wkv(uint i) {
    uint vectors = 2u * p.groups;
    vec4 aa = state[old_at + i], bb = state[old_at + vectors + i], pp = state[old_at + 2u * vectors + i];
    vec4 k = scratch4[p.k_at + i], v = scratch4[p.v_at + i];
    vec4 bonus = parameters[p.decay_at + vectors + i] + k;
    vec4 top = max(pp, bonus);
    vec4 e1 = exp(pp - top), e2 = exp(bonus - top);
    return scratch4[p.r_at + i] * (e1 * aa + e2 * v) / (e1 * bb + e2);
}
void compute_input(uint group, out vec4 low, out vec4 high) {
    low = gated_wkv(2u * group);
    high = gated_wkv(2u * group + 1u);
}
#include "lib/matvec.glsl"

void store_row(uint row, float value) { scratch[p.result + row] += value; }

void store_next_state(uint new_at) {
    uint vectors = 2u * p.groups;
    for (uint i = gl_LocalInvocationID.x; i < vectors; i += kLocalSize) {
        vec4 aa = state[old_at + i], bb = state[old_at + vectors + i], pp = state[old_at + 2u * vectors + i];
        vec4 k = scratch4[p.k_at + i], v = scratch4[p.v_at + i];
        vec4 faded = pp + parameters[p.decay_at + i];
        vec4 top = max(faded, k);
        vec4 e1 = exp(faded - top), e2 = exp(k - top);
        state[new_at + i] = e1 * aa + e2 * v;
        state[new_at + vectors + i] = e1 * bb + e2;
        state[new_at + 2u * vectors + i] = top;
    }
}

void main() {
    if (step_header[kStepRun] == 0u) return;
    uint copy = 6u * p.groups; // aa, bb, pp
    uint slot = p.wkv_at + step_header[kStepSlot] * p.slot_stride;
    old_at = slot + step_header[kStepParity] * copy;
    if (p.writes_state != 0u && gl_WorkGroupID.x == 0u) store_next_state(slot + (1u - step_header[kStepParity]) * copy);
    stage_input(p.groups, false);
    matvec(0u, p.groups, gl_WorkGroupID.x * kGroupRows, p.rows, false);
}
