// Rows of ggml's block formats and of nf4, repacked at load into planes (runtime/kernels/weight_layout.h): first the low
// bits of all groups, then their high bits, then scales. `words` below counts 32-bit words from the start of the row.
layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer Weights { uint weights[]; };
layout(set = 0, binding = WEIGHTS_BINDING) readonly buffer PlainWeights { uvec4 plain_weights[]; };
layout(constant_id = kSpecPlainType) const uint kPlainType = kPlainF16;

// In a launch with block-format matrices, the low-rank ones beside them are plain: f32, f16 or bf16.
uint plain_row_units(uint groups) { return kPlainType == kPlainF32 ? 2u * groups : groups; }
void load_plain_weights(uint row_at, uint group, out vec4 low, out vec4 high) {
    if (kPlainType == kPlainF32) {
        low = uintBitsToFloat(plain_weights[row_at + 2u * group]);
        high = uintBitsToFloat(plain_weights[row_at + 2u * group + 1u]);
        return;
    }
    uvec4 q = plain_weights[row_at + group];
    if (kPlainType == kPlainF16) {
        low = vec4(unpackHalf2x16(q.x), unpackHalf2x16(q.y));
        high = vec4(unpackHalf2x16(q.z), unpackHalf2x16(q.w));
    } else {
        low = uintBitsToFloat(uvec4(q.x << 16, q.x & 0xffff0000u, q.y << 16, q.y & 0xffff0000u));
        high = uintBitsToFloat(uvec4(q.z << 16, q.z & 0xffff0000u, q.w << 16, q.w & 0xffff0000u));
    }
}

uint units_of(uint words) { return (words + 3u) / 4u; }
float half_at(uint word, uint index) { // the index-th float16 from `word` on
    return unpackHalf2x16(weights[word + index / 2u])[index & 1u];
}
uint byte_at(uint word, uint index) { return (weights[word + index / 4u] >> (8u * (index & 3u))) & 255u; }
void nibbles(uint q, out vec4 low, out vec4 high) { // element i in bits 4 i
    low = vec4(uvec4(q, q >> 4, q >> 8, q >> 12) & 15u);
    high = vec4(uvec4(q >> 16, q >> 20, q >> 24, q >> 28) & 15u);
}
// Adds bit i of `bits` to element i, as the bit `worth`.
void add_bits(uint bits, float worth, inout vec4 low, inout vec4 high) {
    low += worth * vec4(uvec4(bits, bits >> 1, bits >> 2, bits >> 3) & 1u);
    high += worth * vec4(uvec4(bits >> 4, bits >> 5, bits >> 6, bits >> 7) & 1u);
}

#if defined(WEIGHTS_Q8_0) // 32 elements: int8, scale d
uint row_units(uint groups) { return units_of(2u * groups + (groups / 4u + 1u) / 2u); }
void load_weights(uint row_at, uint groups, uint group, out vec4 low, out vec4 high) {
    uint row = 4u * row_at;
    int a = int(weights[row + 2u * group]), b = int(weights[row + 2u * group + 1u]);
    float d = half_at(row + 2u * groups, group / 4u);
    low = d * vec4(ivec4(a << 24, a << 16, a << 8, a) >> 24);
    high = d * vec4(ivec4(b << 24, b << 16, b << 8, b) >> 24);
}
#elif defined(WEIGHTS_Q4_0) // 32 elements: d (q - 8)
uint row_units(uint groups) { return units_of(groups + (groups / 4u + 1u) / 2u); }
void load_weights(uint row_at, uint groups, uint group, out vec4 low, out vec4 high) {
    uint row = 4u * row_at;
    nibbles(weights[row + group], low, high);
    float d = half_at(row + groups, group / 4u);
    low = d * (low - 8.0);
    high = d * (high - 8.0);
}
#elif defined(WEIGHTS_Q4_1) // 32 elements: d q + m
uint row_units(uint groups) { return units_of(groups + groups / 4u); }
void load_weights(uint row_at, uint groups, uint group, out vec4 low, out vec4 high) {
    uint row = 4u * row_at;
    nibbles(weights[row + group], low, high);
    vec2 dm = unpackHalf2x16(weights[row + groups + group / 4u]);
    low = dm.x * low + dm.y;
    high = dm.x * high + dm.y;
}
#elif defined(WEIGHTS_Q5_0) // 32 elements: d (q - 16), the fifth bits in a plane of their own
uint row_units(uint groups) { return units_of(groups + groups / 4u + (groups / 4u + 1u) / 2u); }
void load_weights(uint row_at, uint groups, uint group, out vec4 low, out vec4 high) {
    uint row = 4u * row_at;
    nibbles(weights[row + group], low, high);
    add_bits(byte_at(row + groups, group), 16.0, low, high);
    float d = half_at(row + groups + groups / 4u, group / 4u);
    low = d * (low - 16.0);
    high = d * (high - 16.0);
}
#elif defined(WEIGHTS_Q5_1) // 32 elements: d q + m
uint row_units(uint groups) { return units_of(groups + groups / 2u); }
void load_weights(uint row_at, uint groups, uint group, out vec4 low, out vec4 high) {
    uint row = 4u * row_at;
    nibbles(weights[row + group], low, high);
    add_bits(byte_at(row + groups, group), 16.0, low, high);
    vec2 dm = unpackHalf2x16(weights[row + groups + groups / 4u + group / 4u]);
    low = dm.x * low + dm.y;
    high = dm.x * high + dm.y;
}
#elif defined(WEIGHTS_Q4_K) || defined(WEIGHTS_Q5_K) // 256 elements: d, dmin; each 32 of them: scale and min of 6 bits
#ifdef WEIGHTS_Q5_K
#define HIGH_WORDS(groups) ((groups) / 4u)
#else
#define HIGH_WORDS(groups) 0u
#endif
uint row_units(uint groups) { return units_of(groups + HIGH_WORDS(groups) + groups / 8u + groups / 32u); }
void load_weights(uint row_at, uint groups, uint group, out vec4 low, out vec4 high) {
    uint row = 4u * row_at;
    nibbles(weights[row + group], low, high);
#ifdef WEIGHTS_Q5_K
    add_bits(byte_at(row + groups, group), 16.0, low, high);
#endif
    uint scales = row + groups + HIGH_WORDS(groups), block = group / 4u;
    vec2 d = unpackHalf2x16(weights[scales + groups / 8u + group / 32u]);
    float scale = d.x * float(byte_at(scales, 2u * block)), low_end = d.y * float(byte_at(scales, 2u * block + 1u));
    low = scale * low - low_end;
    high = scale * high - low_end;
}
#elif defined(WEIGHTS_Q6_K) // 256 elements: d; each 16 of them: int8 scale; d scale (q - 32)
uint row_units(uint groups) { return units_of(groups + groups / 2u + groups / 8u + (groups / 32u + 1u) / 2u); }
void load_weights(uint row_at, uint groups, uint group, out vec4 low, out vec4 high) {
    uint row = 4u * row_at;
    nibbles(weights[row + group], low, high);
    uint top = weights[row + groups + group / 2u] >> (16u * (group & 1u)); // two bits an element
    low += 16.0 * vec4(uvec4(top, top >> 2, top >> 4, top >> 6) & 3u);
    high += 16.0 * vec4(uvec4(top >> 8, top >> 10, top >> 12, top >> 14) & 3u);
    uint scales = row + groups + groups / 2u;
    int scale = int(byte_at(scales, group / 2u) << 24) >> 24;
    float d = half_at(scales + groups / 8u, group / 32u) * float(scale);
    low = d * (low - 32.0);
    high = d * (high - 32.0);
}
#elif defined(WEIGHTS_NF4) // 64 elements: absmax times the 16 quantiles of a normal distribution (QLoRA, arXiv 2305.14314)
const float kNormalFloat[16] = float[](
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0);
uint row_units(uint groups) { return units_of(groups + (groups / 8u + 1u) / 2u); }
void load_weights(uint row_at, uint groups, uint group, out vec4 low, out vec4 high) {
    uint row = 4u * row_at;
    uint q = weights[row + group];
    float d = half_at(row + groups, group / 8u);
    for (uint i = 0u; i < 4u; ++i) {
        low[i] = d * kNormalFloat[(q >> (4u * i)) & 15u];
        high[i] = d * kNormalFloat[(q >> (16u + 4u * i)) & 15u];
    }
}
#endif
