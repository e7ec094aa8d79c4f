#version 450
// Time mixing of RWKV-7 (arXiv 2503.14456) between its two big matrices, a workgroup a head, for one token:
//   w  = exp(-e^-0.5 sigmoid(w0 + w2^T low_w))          decay
//   a  = sigmoid(a0 + a2^T low_a)                       in-context learning rate
//   g  = g2^T low_g                                     gate
//   kk = normalise(k * k_k) over the head               removal key, from the unmodified k
//   k' = k (1 + (a - 1) k_a),  v' = v + (v_first - v) sigmoid(v0 + v2^T low_v)   (layers above 0)
//   S' = S diag(w) - (S kk)(kk * a)^T + v' k'^T         state [value, key]
//   y  = (GroupNorm(S' r) + (sum r k' r_k) v') g
// kLanes lanes share a row of the state. S' r is found in the same pass over S as S kk, since
// S' r = S (w r) - (S kk)(kk*a . r) + v' (k' . r): one pass reads S, one writes S'.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#define WEIGHTS_BINDING kWkv7Weights
layout(push_constant) uniform Params { Wkv7Params p; };
layout(set = 0, binding = kWkv7Params) readonly buffer Parameters { float parameters[]; };
layout(set = 0, binding = kWkv7Scratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kWkv7Scratch) readonly buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kWkv7Scratch) readonly buffer StepHeader { uint step_header[]; };
layout(set = 0, binding = kWkv7State) buffer State { vec4 state[]; };
#include "lib/reduce.glsl"
#include "lib/weights.glsl"
#include "lib/activations.glsl"
#include "lib/low_rank.glsl"

layout(constant_id = kSpecHeadSize) const uint kHeadSize = 64u; // N, a multiple of 4 kLanes
const uint kVectors = kHeadSize / (4u * kLanes);                // vec4s of a state row that one lane has
const float kGroupNormEps = 64e-5;                              // 1e-5 * 8^2: training divides by 8 first
// Up to 32 floats of state stay in registers between the passes; beyond, the second pass reads them again.
const bool kKeepRow = kVectors <= 8u;

shared vec4 decay[kHeadSize / 4u], removal[kHeadSize / 4u], removal_a[kHeadSize / 4u], key[kHeadSize / 4u],
    receptance[kHeadSize / 4u];

float vector(uint which, uint channel) { return parameters[4u * (p.vectors_at + which * p.vector_stride) + channel]; }

void main() {
    if (step_header[kStepRun] == 0u) return;
    uint row = local_index() / kLanes, lane = local_index() % kLanes;
    uint channel = gl_WorkGroupID.x * kHeadSize + row;
    bool first_lane = lane == 0u;

    vec4 ups = lanes_add(vec4(up(p.up_w_at, p.rank_w, p.low_w_at, channel, lane),
                              up(p.up_a_at, p.rank_a, p.low_a_at, channel, lane),
                              up(p.up_v_at, p.rank_v, p.low_v_at, channel, lane),
                              up(p.up_g_at, p.rank_g, p.low_g_at, channel, lane)), kLanes);
    float w = exp(-0.60653065971263342 * sigmoid(vector(0u, channel) + ups.x));
    float a = sigmoid(vector(1u, channel) + ups.y);
    float r = scratch[4u * p.r_at + channel];
    float k = scratch[4u * p.k_at + channel];
    float v = scratch[4u * p.v_at + channel];
    float kk = k * vector(3u, channel);
    k *= 1.0 + (a - 1.0) * vector(4u, channel);
    if (p.first_layer != 0u) {
        if (first_lane) scratch[4u * p.v_first_at + channel] = v;
    } else {
        v += (scratch[4u * p.v_first_at + channel] - v) * sigmoid(vector(2u, channel) + ups.z);
    }

    // Sums over the head: |kk|^2, kk*a . r before the norm is divided out, k' . r, and the bonus.
    vec4 dots = workgroup_add(first_lane ? vec4(kk * kk, kk * a * r, k * r, r * k * vector(5u, channel)) : vec4(0.0));
    float inverse_norm = 1.0 / max(sqrt(dots.x), 1e-12);
    if (first_lane) {
        decay[row / 4u][row % 4u] = w;
        removal[row / 4u][row % 4u] = kk * inverse_norm;
        removal_a[row / 4u][row % 4u] = kk * inverse_norm * a;
        key[row / 4u][row % 4u] = k;
        receptance[row / 4u][row % 4u] = r;
    }
    barrier();

    uint row_at = p.wkv_at + step_header[kStepSlot] * p.slot_stride + channel * (kHeadSize / 4u);
    vec4 kept[kKeepRow ? kVectors : 1u];
    vec2 sums = vec2(0.0); // S kk, S (w r)
    for (uint i = 0u; i < kVectors; ++i) {
        uint at = i * kLanes + lane;
        vec4 s = state[row_at + at];
        if (kKeepRow) kept[i] = s;
        sums += vec2(dot(s, removal[at]), dot(s, decay[at] * receptance[at]));
    }
    sums = lanes_add(vec4(sums, 0.0, 0.0), kLanes).xy;
    for (uint i = 0u; i < kVectors; ++i) {
        uint at = i * kLanes + lane;
        vec4 s = kKeepRow ? kept[i] : state[row_at + at];
        state[row_at + at] = s * decay[at] - sums.x * removal_a[at] + v * key[at];
    }
    float y = sums.y - sums.x * dots.y * inverse_norm + v * dots.z;

    float mean = workgroup_add(vec4(first_lane ? y : 0.0, 0.0, 0.0, 0.0)).x / float(kHeadSize);
    float d = y - mean;
    float variance = workgroup_add(vec4(first_lane ? d * d : 0.0, 0.0, 0.0, 0.0)).x / float(kHeadSize);
    float normalised = d * inversesqrt(variance + kGroupNormEps) * vector(6u, channel) + vector(7u, channel);
    if (first_lane) scratch[4u * p.y_at + channel] = (normalised + dots.w * v) * ups.w;
}
