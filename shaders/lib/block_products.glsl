// The product of eight quants of a row with eight inputs, for kernels that use a weight once: weights are not made of the quants. What
// scale, minimum and the quant of zero make of them is common to the eight, and done to their sum.
float block_product(uint row_at, uint groups, uint group, vec4 input_low, vec4 input_high) {
    uvec2 quants = quant_bytes(4u * row_at, groups, group);
    vec4 first, second;
    numbers(quants, first, second);
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
