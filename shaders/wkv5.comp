#version 450
// RWKV-5: the decay is constant in time, one a head (5.0, 5.1) or a channel (5.2); the parameters have it for each channel.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
layout(push_constant) uniform Params { Wkv6Params p; };
layout(set = 0, binding = kWkv5Params) readonly buffer Parameters { float parameters[]; };
layout(set = 0, binding = kWkv5Scratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kWkv5Scratch) readonly buffer StepHeader { uint step_header[]; };
layout(set = 0, binding = kWkv5State) buffer State { vec4 state[]; };
#include "lib/reduce.glsl"
#include "lib/wkv6.glsl"

float decay_of(uint channel, uint lane) { return vector(0u, channel); }
