#version 450
// Time mixing of RWKV-5 and RWKV-6 for all rows of a wide step, a workgroup for a head of a run; the formulas are lib/wkv6.glsl's. The
// state stays in registers from a run's first row to its last. Version 6's low-rank part of the decay was multiplied
// beforehand; without it the parameters have the decay itself.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
layout(push_constant) uniform Params { WideWkv6Params p; };
layout(set = 0, binding = kWideWkvParams) readonly buffer Parameters { float parameters[]; };
layout(set = 0, binding = kWideWkvScratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kWideWkvScratch) readonly buffer Header { uint header[]; };
layout(set = 0, binding = kWideWkvState) buffer State { vec4 state[]; };
#include "lib/reduce.glsl"

layout(constant_id = kSpecHeadSize) const uint kHeadSize = 64u; // N, a multiple of 4 kLanes
const uint kVectors = kHeadSize / (4u * kLanes);                // vec4s of a state row that one lane has
const float kGroupNormEps = 64e-5;                              // 1e-5 * 8^2: training divides by 8 first
// Up to 32 floats of state stay in registers; beyond, every row reads and writes them.
const bool kKeepRow = kVectors <= 8u;

shared vec4 decay[kHeadSize / 4u], key[kHeadSize / 4u], receptance[kHeadSize / 4u];

float vector(uint which, uint channel) { return parameters[4u * (p.vectors_at + which * p.vector_stride) + channel]; }

void main() {
    uint run = kWideRunsAt + gl_WorkGroupID.y * kRunWords;
    if (gl_WorkGroupID.y >= header[kWideRuns] || header[run + kRunRows] == 0u) return;
    uint first_token = header[run + kRunFirst], end = first_token + header[run + kRunRows];
    uint row = local_index() / kLanes, lane = local_index() % kLanes;
    uint channel = gl_WorkGroupID.x * kHeadSize + row;
    bool first_lane = lane == 0u;
    float base_decay = vector(0u, channel), bonus_of = vector(1u, channel), norm_weight = vector(2u, channel),
          norm_bias = vector(3u, channel);

    uint row_at = p.wkv_at + header[run + kRunSlot] * p.slot_stride + channel * (kHeadSize / 4u);
    vec4 kept[kKeepRow ? kVectors : 1u];
    if (kKeepRow)
        for (uint i = 0u; i < kVectors; ++i) kept[i] = state[row_at + i * kLanes + lane];

    for (uint t = first_token; t < end; ++t) {
        uint at_row = t * p.stride + channel;
        float w = base_decay;
        if (p.up_w_at != kNone) w = exp(-exp(base_decay + scratch[4u * p.up_w_at + at_row]));
        float r = scratch[4u * p.r_at + at_row];
        float k = scratch[4u * p.k_at + at_row];
        float v = scratch[4u * p.v_at + at_row];
        float bonus = workgroup_add(vec4(first_lane ? r * k * bonus_of : 0.0, 0.0, 0.0, 0.0)).x;
        barrier(); // the row before has been read
        if (first_lane) {
            decay[row / 4u][row % 4u] = w;
            key[row / 4u][row % 4u] = k;
            receptance[row / 4u][row % 4u] = r;
        }
        barrier();
        float sum = 0.0;
        for (uint i = 0u; i < kVectors; ++i) {
            uint at = i * kLanes + lane;
            vec4 s = kKeepRow ? kept[i] : state[row_at + at];
            sum += dot(s, receptance[at]);
            s = s * decay[at] + v * key[at];
            if (kKeepRow) kept[i] = s;
            else state[row_at + at] = s;
        }
        float y = lanes_add(vec4(sum, 0.0, 0.0, 0.0), kLanes).x + v * bonus;
        float mean = workgroup_add(vec4(first_lane ? y : 0.0, 0.0, 0.0, 0.0)).x / float(kHeadSize);
        float d = y - mean;
        float variance = workgroup_add(vec4(first_lane ? d * d : 0.0, 0.0, 0.0, 0.0)).x / float(kHeadSize);
        float normalised = d * inversesqrt(variance + kGroupNormEps) * norm_weight + norm_bias;
        float gate = p.gate_at == kNone ? 1.0 : scratch[4u * p.gate_at + at_row];
        if (first_lane) scratch[4u * p.y_at + at_row] = normalised * gate;
    }
    if (kKeepRow)
        for (uint i = 0u; i < kVectors; ++i) state[row_at + i * kLanes + lane] = kept[i];
}
