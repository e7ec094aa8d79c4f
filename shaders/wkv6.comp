#version 450
// RWKV-6: the decay depends on the token, w = exp(-exp(time_decay + time_decay_w2^T low_w)).
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#define WEIGHTS_BINDING kWkv6Weights
layout(push_constant) uniform Params { Wkv6Params p; };
layout(set = 0, binding = kWkv6Params) readonly buffer Parameters { float parameters[]; };
layout(set = 0, binding = kWkv6Scratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kWkv6Scratch) readonly buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kWkv6Scratch) readonly buffer StepHeader { uint step_header[]; };
layout(set = 0, binding = kWkv6State) buffer State { vec4 state[]; };
#include "lib/reduce.glsl"
#include "lib/weights.glsl"
#include "lib/low_rank.glsl"
#include "lib/wkv6.glsl"

float decay_of(uint channel, uint lane) {
    float low = up(p.up_w_at, p.rank_w, p.low_w_at, channel, lane);
    return exp(-exp(vector(0u, channel) + lanes_add(vec4(low, 0.0, 0.0, 0.0), kLanes).x));
}
