#version 450
// Time mixing of RWKV-7 for all rows of a wide step, a workgroup for a head of a run; the formulas are wkv7.comp's, whose low-rank ups
// are here multiplied beforehand. The state stays in registers from a run's first row to its last.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
layout(push_constant) uniform Params { WideWkv7Params p; };
layout(set = 0, binding = kWideWkvParams) readonly buffer Parameters { float parameters[]; };
layout(set = 0, binding = kWideWkvScratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kWideWkvScratch) readonly buffer Header { uint header[]; };
layout(set = 0, binding = kWideWkvState) buffer State { vec4 state[]; };
#include "lib/reduce.glsl"
#include "lib/activations.glsl"

layout(constant_id = kSpecHeadSize) const uint kHeadSize = 64u; // N, a multiple of 4 kLanes
const uint kVectors = kHeadSize / (4u * kLanes);                // vec4s of a state row that one lane has
const float kGroupNormEps = 64e-5;                              // 1e-5 * 8^2: training divides by 8 first
// Up to 32 floats of state stay in registers; beyond, every row reads and writes them.
const bool kKeepRow = kVectors <= 8u;

shared vec4 decay[kHeadSize / 4u], removal[kHeadSize / 4u], removal_a[kHeadSize / 4u], key[kHeadSize / 4u],
    receptance[kHeadSize / 4u];

float vector(uint which, uint channel) { return parameters[4u * (p.vectors_at + which * p.vector_stride) + channel]; }

void main() {
    uint run = kWideRunsAt + gl_WorkGroupID.y * kRunWords;
    if (gl_WorkGroupID.y >= header[kWideRuns] || header[run + kRunRows] == 0u) return;
    uint first_token = header[run + kRunFirst], end = first_token + header[run + kRunRows];
    uint row = local_index() / kLanes, lane = local_index() % kLanes;
    uint channel = gl_WorkGroupID.x * kHeadSize + row;
    bool first_lane = lane == 0u;
    float w0 = vector(0u, channel), a0 = vector(1u, channel), v0 = vector(2u, channel), k_k = vector(3u, channel),
          k_a = vector(4u, channel), r_k = vector(5u, channel), norm_weight = vector(6u, channel),
          norm_bias = vector(7u, channel);

    uint row_at = p.wkv_at + header[run + kRunSlot] * p.slot_stride + channel * (kHeadSize / 4u);
    vec4 kept[kKeepRow ? kVectors : 1u];
    if (kKeepRow)
        for (uint i = 0u; i < kVectors; ++i) kept[i] = state[row_at + i * kLanes + lane];

    for (uint t = first_token; t < end; ++t) {
        uint at_row = t * p.stride + channel;
        float w = exp(-0.60653065971263342 * sigmoid(w0 + scratch[4u * p.up_w_at + at_row]));
        float a = sigmoid(a0 + scratch[4u * p.up_a_at + at_row]);
        float r = scratch[4u * p.r_at + at_row];
        float k = scratch[4u * p.k_at + at_row];
        float v = scratch[4u * p.v_at + at_row];
        float kk = k * k_k;
        k *= 1.0 + (a - 1.0) * k_a;
        if (p.first_layer != 0u) {
            if (first_lane) scratch[4u * p.v_first_at + at_row] = v;
        } else {
            v += (scratch[4u * p.v_first_at + at_row] - v) * sigmoid(v0 + scratch[4u * p.up_v_at + at_row]);
        }

        vec4 dots = workgroup_add(first_lane ? vec4(kk * kk, kk * a * r, k * r, r * k * r_k) : vec4(0.0));
        float inverse_norm = 1.0 / max(sqrt(dots.x), 1e-12);
        barrier(); // the row before has been read
        if (first_lane) {
            decay[row / 4u][row % 4u] = w;
            removal[row / 4u][row % 4u] = kk * inverse_norm;
            removal_a[row / 4u][row % 4u] = kk * inverse_norm * a;
            key[row / 4u][row % 4u] = k;
            receptance[row / 4u][row % 4u] = r;
        }
        barrier();

        vec2 sums = vec2(0.0); // S kk, S (w r)
        for (uint i = 0u; i < kVectors; ++i) {
            uint at = i * kLanes + lane;
            vec4 s = kKeepRow ? kept[i] : state[row_at + at];
            sums += vec2(dot(s, removal[at]), dot(s, decay[at] * receptance[at]));
        }
        sums = lanes_add(vec4(sums, 0.0, 0.0), kLanes).xy;
        for (uint i = 0u; i < kVectors; ++i) {
            uint at = i * kLanes + lane;
            vec4 s = kKeepRow ? kept[i] : state[row_at + at];
            s = s * decay[at] - sums.x * removal_a[at] + v * key[at];
            if (kKeepRow) kept[i] = s;
            else state[row_at + at] = s;
        }
        float y = sums.y - sums.x * dots.y * inverse_norm + v * dots.z;

        float mean = workgroup_add(vec4(first_lane ? y : 0.0, 0.0, 0.0, 0.0)).x / float(kHeadSize);
        float d = y - mean;
        float variance = workgroup_add(vec4(first_lane ? d * d : 0.0, 0.0, 0.0, 0.0)).x / float(kHeadSize);
        float normalised = d * inversesqrt(variance + kGroupNormEps) * norm_weight + norm_bias;
        if (first_lane)
            scratch[4u * p.y_at + at_row] = (normalised + dots.w * v) * scratch[4u * p.up_g_at + at_row];
    }
    if (kKeepRow)
        for (uint i = 0u; i < kVectors; ++i) state[row_at + i * kLanes + lane] = kept[i];
}
