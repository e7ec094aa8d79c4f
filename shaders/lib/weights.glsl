// Weights of the type this variant was built for, eight elements of a row (a group) at a time, widened to float32. 32-bit
// words only, so no 16-bit storage is needed anywhere. Needs WEIGHTS_BINDING. A place is counted in units of 16 bytes,
// every row starts on one; how a row of a block format is laid out on the device: runtime/kernels/weight_layout.h.
// A launch may have plain matrices beside those of its variant's type: `plain`, in a segment table, names them.
#include "lib/lane_loads.glsl"
// With ADDRESS they are not bound but read through their address, which is in the push constants (lib/params.glsl).
#ifdef ADDRESS
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
#define WEIGHTS_AT(UNIT) layout(buffer_reference, std430, buffer_reference_align = UNIT) readonly buffer
#define OF(BUFFER, ARRAY) BUFFER(uvec2(weights_low, weights_high)).ARRAY
#else
#define WEIGHTS_AT(UNIT) layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer
#define OF(BUFFER, ARRAY) ARRAY
#endif
#if defined(WEIGHTS_F32)
WEIGHTS_AT(16) Weights { vec4 weights[]; };
LANE_LOAD(lane_weights, vec4, bvec4, OF(Weights, weights))
bool beside(uint plain) { return false; }
uint row_units(uint groups, bool plain) { return 2u * groups; }
void load_weights(uint row_at, uint groups, uint group, bool plain, out vec4 low, out vec4 high) {
    low = lane_weights(row_at + 2u * group, 2u);
    high = lane_weights(row_at + 2u * group + 1u, 2u);
}
#elif defined(WEIGHTS_F16) || defined(WEIGHTS_BF16)
WEIGHTS_AT(16) Weights { uvec4 weights[]; };
layout(constant_id = kSpecPlainType) const uint kPlainType = kPlainF16; // kPlainF32: there may be some of that beside
LANE_LOAD(lane_weights, uvec4, bvec4, OF(Weights, weights))
bool beside(uint plain) { return kPlainType == kPlainF32 && plain != 0u; }
uint row_units(uint groups, bool plain) { return plain ? 2u * groups : groups; }
void load_weights(uint row_at, uint groups, uint group, bool plain, out vec4 low, out vec4 high) {
    if (plain) {
        low = uintBitsToFloat(lane_weights(row_at + 2u * group, 2u));
        high = uintBitsToFloat(lane_weights(row_at + 2u * group + 1u, 2u));
        return;
    }
    uvec4 q = lane_weights(row_at + group, 1u);
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
uint row_units(uint groups) { return row_units(groups, false); }
void load_weights(uint row_at, uint groups, uint group, out vec4 low, out vec4 high) {
    load_weights(row_at, groups, group, false, low, high);
}
#ifndef WEIGHTS_BLOCKS
// Of a matrix kept by input: the weights of eight outputs (the `group`-th of `groups`) for one input.
void load_outputs(uint at, uint groups, uint input_index, uint group, out vec4 low, out vec4 high) {
    load_weights(at + input_index * row_units(groups), groups, group, low, high);
}
#endif
