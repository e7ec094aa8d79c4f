// Products of eight quants of a row with eight inputs, for kernels that use a weight once: weights are not made of the quants. What
// scale, minimum and the quant of zero make of them is common to the eight, and done to their sum.
#ifdef WEIGHTS_NF4 // whose quants are no numbers
const bool kInOrder = true;
const int kZero = 0;
#else
// The quants of a group as they are stored, four bytes a word; kZero is still to be taken off each. kInOrder: elements 0 to 3, 4 to 7;
// else 0, 2, 4, 6 and 1, 3, 5, 7, as two masks leave nibbles. Many devices make a float of any byte of a word in one instruction.
#ifdef WEIGHTS_Q8_0
const bool kInOrder = true;
const int kZero = 0;
uvec2 quant_bytes(uint row, uint groups, uint group) {
    return uvec2(lane_word(row + 2u * group, 2u), lane_word(row + 2u * group + 1u, 2u));
}
vec4 numbers(uint bytes) { return vec4(ivec4(bytes << 24, bytes << 16, bytes << 8, bytes) >> 24); }
#else
const bool kInOrder = false;
uvec2 nibble_bytes(uint row, uint group) {
    uint q = lane_word(row + group, 1u);
    return uvec2(q, q >> 4) & 0x0f0f0f0fu;
}
vec4 numbers(uint bytes) { return vec4(uvec4(bytes, bytes >> 8, bytes >> 16, bytes >> 24) & 255u); }
#if defined(WEIGHTS_Q5_0) || defined(WEIGHTS_Q5_1) || defined(WEIGHTS_Q5_K)
#ifdef WEIGHTS_Q5_0
const int kZero = 16;
#else
const int kZero = 0;
#endif
uvec2 quant_bytes(uint row, uint groups, uint group) {
    uint fifth = group_byte(row + groups, group);
    // Bits 0, 2, 4, 6 to bits 4, 12, 20, 28: a product moves them all; what else it makes does not reach these.
    return nibble_bytes(row, group) | (uvec2(fifth, fifth >> 1) & 0x55u) * 0x00410410u & 0x10101010u;
}
#elif defined(WEIGHTS_Q6_K)
const int kZero = 32;
uvec2 quant_bytes(uint row, uint groups, uint group) {
    uint top = lanes_word(row + groups + group / 2u, 2u) >> 16u * (own(group) & 1u); // two bits an element
    uvec2 two = uvec2(top, top >> 2);
    return nibble_bytes(row, group) | (two & 3u) << 4 | (two & 0x30u) << 8 | (two & 0x300u) << 12 | (two & 0x3000u) << 16;
}
#else
#ifdef WEIGHTS_Q4_0
const int kZero = 8;
#else
const int kZero = 0;
#endif
uvec2 quant_bytes(uint row, uint groups, uint group) { return nibble_bytes(row, group); }
#endif
#endif
#endif

#ifndef INTEGER_DOT
float block_product(uint row_at, uint groups, uint group, vec4 input_low, vec4 input_high) {
    vec4 first, second;
#ifdef WEIGHTS_NF4
    load_quants(4u * row_at, groups, group, first, second);
#else
    uvec2 quants = quant_bytes(4u * row_at, groups, group);
    first = numbers(quants.x);
    second = numbers(quants.y);
#endif
    float sum = kInOrder ? dot(first, input_low) + dot(second, input_high)
                         : dot(first, vec4(input_low.xz, input_high.xz)) + dot(second, vec4(input_low.yw, input_high.yw));
    vec2 scale = row_scale(scales_of(4u * row_at, groups), groups, group);
#if defined(MINIMA) || defined(SUB_MINIMA) || defined(WEIGHTS_Q4_0) || defined(WEIGHTS_Q5_0) || defined(WEIGHTS_Q6_K)
    vec4 inputs = input_low + input_high; // the same for all rows
    return scale.x * sum + (scale.y - float(kZero) * scale.x) * (inputs.x + inputs.y + inputs.z + inputs.w);
#else
    return scale.x * sum;
#endif
}
#endif
