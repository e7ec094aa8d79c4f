// Weights of the type this variant was built for, eight elements of a row (a group) at a time, widened to float32. 32-bit
// words only, so no 16-bit storage is needed anywhere. Needs WEIGHTS_BINDING. A place is counted in units of 16 bytes,
// every row starts on one; how a row of a block format is laid out on the device: runtime/kernels/weight_layout.h.
#if defined(WEIGHTS_F32)
layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer Weights { vec4 weights[]; };
uint row_units(uint groups) { return 2u * groups; }
void load_weights(uint row_at, uint groups, uint group, out vec4 low, out vec4 high) {
    low = weights[row_at + 2u * group];
    high = weights[row_at + 2u * group + 1u];
}
#elif defined(WEIGHTS_F16) || defined(WEIGHTS_BF16)
layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer Weights { uvec4 weights[]; };
uint row_units(uint groups) { return groups; }
void load_weights(uint row_at, uint groups, uint group, out vec4 low, out vec4 high) {
    uvec4 q = weights[row_at + group];
#ifdef WEIGHTS_F16
    low = vec4(unpackHalf2x16(q.x), unpackHalf2x16(q.y));
    high = vec4(unpackHalf2x16(q.z), unpackHalf2x16(q.w));
#else // bfloat16 is the upper half of a float32
    low = uintBitsToFloat(uvec4(q.x << 16, q.x & 0xffff0000u, q.y << 16, q.y & 0xffff0000u));
    high = uintBitsToFloat(uvec4(q.z << 16, q.z & 0xffff0000u, q.w << 16, q.w & 0xffff0000u));
#endif
}
#else
#define WEIGHTS_BLOCKS
#include "lib/block_weights.glsl"
#endif
#ifndef WEIGHTS_BLOCKS
// Of a matrix kept by input: the weights of eight outputs (the `group`-th of `groups`) for one input.
void load_outputs(uint at, uint groups, uint input_index, uint group, out vec4 low, out vec4 high) {
    load_weights(at + input_index * row_units(groups), groups, group, low, high);
}
#endif
