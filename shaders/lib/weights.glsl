// Weights of the type this variant was built for, eight of a row at a time, widened to float32. 32-bit words only, so
// no 16-bit storage is needed anywhere. Needs WEIGHTS_BINDING.
#if defined(WEIGHTS_F32)
layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer Weights { vec4 weights[]; };
void load_weights(uint group, out vec4 low, out vec4 high) {
    low = weights[2u * group];
    high = weights[2u * group + 1u];
}
#elif defined(WEIGHTS_F16)
layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer Weights { uvec4 weights[]; };
void load_weights(uint group, out vec4 low, out vec4 high) {
    uvec4 q = weights[group];
    low = vec4(unpackHalf2x16(q.x), unpackHalf2x16(q.y));
    high = vec4(unpackHalf2x16(q.z), unpackHalf2x16(q.w));
}
#elif defined(WEIGHTS_BF16)
layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer Weights { uvec4 weights[]; };
void load_weights(uint group, out vec4 low, out vec4 high) {
    uvec4 q = weights[group]; // bfloat16 is the upper half of a float32
    low = uintBitsToFloat(uvec4(q.x << 16, q.x & 0xffff0000u, q.y << 16, q.y & 0xffff0000u));
    high = uintBitsToFloat(uvec4(q.z << 16, q.z & 0xffff0000u, q.w << 16, q.w & 0xffff0000u));
}
#endif
