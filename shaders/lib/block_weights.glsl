// Rows of ggml's block formats and of nf4, repacked at load into planes (runtime/kernels/weight_layout.h): first the low
// bits of all groups, then their high bits, then scales. `words` below counts 32-bit words from the start of the row.
WEIGHTS_AT(4) Weights { uint weights[]; };
WEIGHTS_AT(16) PlainWeights { uvec4 plain_weights[]; };
layout(constant_id = kSpecPlainType) const uint kPlainType = kPlainF16;

// In a launch with block-format matrices, the low-rank ones beside them are plain: f32, f16 or bf16.
LANE_LOAD(lane_units, uvec4, bvec4, OF(PlainWeights, plain_weights))
LANE_LOAD(lane_word, uint, bool, OF(Weights, weights))
LANES_LOAD(lanes_word, uint, bool, OF(Weights, weights))
bool beside(uint plain) { return plain != 0u; }
void load_plain_weights(uint row_at, uint group, out vec4 low, out vec4 high) {
    if (kPlainType == kPlainF32) {
        low = uintBitsToFloat(lane_units(row_at + 2u * group, 2u));
        high = uintBitsToFloat(lane_units(row_at + 2u * group + 1u, 2u));
        return;
    }
    uvec4 q = lane_units(row_at + group, 1u);
    if (kPlainType == kPlainF16) {
        low = vec4(unpackHalf2x16(q.x), unpackHalf2x16(q.y));
        high = vec4(unpackHalf2x16(q.z), unpackHalf2x16(q.w));
    } else {
        low = uintBitsToFloat(uvec4(q.x << 16, q.x & 0xffff0000u, q.y << 16, q.y & 0xffff0000u));
        high = uintBitsToFloat(uvec4(q.z << 16, q.z & 0xffff0000u, q.w << 16, q.w & 0xffff0000u));
    }
}

uint units_of(uint words) { return (words + 3u) / 4u; }
// The float16 of a group's block, of the plane from `word` on: one for each `groups` groups.
float block_half(uint word, uint groups, uint group) {
    return unpackHalf2x16(lanes_word(word + group / groups / 2u, 2u * groups))[own(group) / groups & 1u];
}
// The byte of a group, of the plane from `word` on.
uint group_byte(uint word, uint group) { return lanes_word(word + group / 4u, 4u) >> 8u * (own(group) & 3u) & 255u; }
void nibbles(uint q, out vec4 low, out vec4 high) { // element i in bits 4 i
    low = vec4(uvec4(q, q >> 4, q >> 8, q >> 12) & 15u);
    high = vec4(uvec4(q >> 16, q >> 20, q >> 24, q >> 28) & 15u);
}
// Adds bit i of `bits` to element i, as the bit `worth`.
void add_bits(uint bits, float worth, inout vec4 low, inout vec4 high) {
    low += worth * vec4(uvec4(bits, bits >> 1, bits >> 2, bits >> 3) & 1u);
    high += worth * vec4(uvec4(bits >> 4, bits >> 5, bits >> 6, bits >> 7) & 1u);
}

// Of each format: the words of its planes of low and high bits; load_quants, which gives what scales are applied to.
#if defined(WEIGHTS_Q8_0) // 32 elements: int8, scale d
const uint kBlock = 32u;
uint low_words(uint groups) { return 2u * groups; }
uint high_words(uint groups) { return 0u; }
void load_quants(uint row, uint groups, uint group, out vec4 low, out vec4 high) {
    int a = int(lane_word(row + 2u * group, 2u)), b = int(lane_word(row + 2u * group + 1u, 2u));
    low = vec4(ivec4(a << 24, a << 16, a << 8, a) >> 24);
    high = vec4(ivec4(b << 24, b << 16, b << 8, b) >> 24);
}
#else
uint low_words(uint groups) { return groups; }
#if defined(WEIGHTS_Q4_0) // 32 elements: d (q - 8)
const uint kBlock = 32u;
uint high_words(uint groups) { return 0u; }
void load_quants(uint row, uint groups, uint group, out vec4 low, out vec4 high) {
    nibbles(lane_word(row + group, 1u), low, high);
    low -= 8.0;
    high -= 8.0;
}
#elif defined(WEIGHTS_Q4_1) // 32 elements: d q + m
const uint kBlock = 32u;
#define MINIMA
uint high_words(uint groups) { return 0u; }
void load_quants(uint row, uint groups, uint group, out vec4 low, out vec4 high) {
    nibbles(lane_word(row + group, 1u), low, high);
}
#elif defined(WEIGHTS_Q5_0) // 32 elements: d (q - 16), the fifth bits in a plane of their own
const uint kBlock = 32u;
uint high_words(uint groups) { return groups / 4u; }
void load_quants(uint row, uint groups, uint group, out vec4 low, out vec4 high) {
    nibbles(lane_word(row + group, 1u), low, high);
    add_bits(group_byte(row + groups, group), 16.0, low, high);
    low -= 16.0;
    high -= 16.0;
}
#elif defined(WEIGHTS_Q5_1) // 32 elements: d q + m
const uint kBlock = 32u;
#define MINIMA
uint high_words(uint groups) { return groups / 4u; }
void load_quants(uint row, uint groups, uint group, out vec4 low, out vec4 high) {
    nibbles(lane_word(row + group, 1u), low, high);
    add_bits(group_byte(row + groups, group), 16.0, low, high);
}
#elif defined(WEIGHTS_Q4_K) // 256 elements: d, dmin; each 32 of them: scale and min of 6 bits
const uint kBlock = 256u;
#define SUB_MINIMA
uint high_words(uint groups) { return 0u; }
void load_quants(uint row, uint groups, uint group, out vec4 low, out vec4 high) {
    nibbles(lane_word(row + group, 1u), low, high);
}
#elif defined(WEIGHTS_Q5_K)
const uint kBlock = 256u;
#define SUB_MINIMA
uint high_words(uint groups) { return groups / 4u; }
void load_quants(uint row, uint groups, uint group, out vec4 low, out vec4 high) {
    nibbles(lane_word(row + group, 1u), low, high);
    add_bits(group_byte(row + groups, group), 16.0, low, high);
}
#elif defined(WEIGHTS_Q6_K) // 256 elements: d; each 16 of them: int8 scale; d scale (q - 32)
const uint kBlock = 256u;
uint high_words(uint groups) { return groups / 2u; }
void load_quants(uint row, uint groups, uint group, out vec4 low, out vec4 high) {
    nibbles(lane_word(row + group, 1u), low, high);
    uint top = lanes_word(row + groups + group / 2u, 2u) >> 16u * (own(group) & 1u); // two bits an element
    low += 16.0 * vec4(uvec4(top, top >> 2, top >> 4, top >> 6) & 3u) - 32.0;
    high += 16.0 * vec4(uvec4(top >> 8, top >> 10, top >> 12, top >> 14) & 3u) - 32.0;
}
#elif defined(WEIGHTS_NF4) // 64 elements: absmax times the 16 quantiles of a normal distribution (QLoRA, arXiv 2305.14314)
const uint kBlock = 64u;
const float kNormalFloat[16] = float[](
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0);
uint high_words(uint groups) { return 0u; }
void load_quants(uint row, uint groups, uint group, out vec4 low, out vec4 high) {
    uint q = lane_word(row + group, 1u);
    for (uint i = 0u; i < 4u; ++i) {
        low[i] = kNormalFloat[(q >> (4u * i)) & 15u];
        high[i] = kNormalFloat[(q >> (16u + 4u * i)) & 15u];
    }
}
#endif
#endif

// The planes of scales: of a row, by block, where row_scale gives a group's scale and what is added to its scaled elements; of a
// strip, by output, eight of them at a time, for the input `i` of its block.
uint scales_of(uint row, uint groups) { return row + low_words(groups) + high_words(groups); }
void halves(uvec4 q, out vec4 low, out vec4 high) {
    low = vec4(unpackHalf2x16(q.x), unpackHalf2x16(q.y));
    high = vec4(unpackHalf2x16(q.z), unpackHalf2x16(q.w));
}
#if defined(MINIMA)
uint scale_words(uint groups) { return 8u * groups / kBlock; }
vec2 row_scale(uint scales, uint groups, uint group) {
    return unpackHalf2x16(lanes_word(scales + 8u * group / kBlock, kBlock / 8u));
}
void scale_outputs(uint scales, uint groups, uint group, uint i, inout vec4 low, inout vec4 high) {
    uvec4 a = lane_units(scales / 4u + 2u * group, 2u), b = lane_units(scales / 4u + 2u * group + 1u, 2u);
    for (uint o = 0u; o < 4u; ++o) {
        vec2 first = unpackHalf2x16(a[o]), second = unpackHalf2x16(b[o]);
        low[o] = first.x * low[o] + first.y;
        high[o] = second.x * high[o] + second.y;
    }
}
#elif defined(SUB_MINIMA)
uint scale_words(uint groups) { return groups / 8u + groups / 32u; }
vec2 row_scale(uint scales, uint groups, uint group) {
    vec2 d = unpackHalf2x16(lanes_word(scales + groups / 8u + group / 32u, 32u));
    uint sub = lanes_word(scales + group / 8u, 8u) >> 16u * (own(group) / 4u & 1u);
    return vec2(d.x, -d.y) * vec2(uvec2(sub, sub >> 8u) & 255u);
}
void scale_outputs(uint scales, uint groups, uint group, uint i, inout vec4 low, inout vec4 high) {
    uvec4 subs = lane_units(scales / 4u + i / 32u * groups + group, 1u); // a byte scale, a byte minimum each
    uint at = scales / 4u + 8u * groups + 2u * group;
    uvec4 a = lane_units(at, 2u), b = lane_units(at + 1u, 2u);
    for (uint o = 0u; o < 4u; ++o) {
        uint s = subs[o / 2u] >> (16u * (o & 1u)), t = subs[2u + o / 2u] >> (16u * (o & 1u));
        vec2 first = unpackHalf2x16(a[o]), second = unpackHalf2x16(b[o]);
        low[o] = first.x * float(s & 255u) * low[o] - first.y * float((s >> 8) & 255u);
        high[o] = second.x * float(t & 255u) * high[o] - second.y * float((t >> 8) & 255u);
    }
}
#elif defined(WEIGHTS_Q6_K)
uint scale_words(uint groups) { return groups / 8u + (groups / 32u + 1u) / 2u; }
vec2 row_scale(uint scales, uint groups, uint group) {
    int scale = int(lanes_word(scales + group / 8u, 8u) << 24u - 8u * (own(group) / 2u & 3u)) >> 24;
    return vec2(block_half(scales + groups / 8u, 32u, group) * float(scale), 0.0);
}
void scale_outputs(uint scales, uint groups, uint group, uint i, inout vec4 low, inout vec4 high) {
    uint subs = scales + 2u * (i / 16u * groups + group);
    int a = int(lane_word(subs, 2u)), b = int(lane_word(subs + 1u, 2u));
    vec4 d_low, d_high;
    halves(lane_units(scales / 4u + 8u * groups + group, 1u), d_low, d_high);
    low *= d_low * vec4(ivec4(a << 24, a << 16, a << 8, a) >> 24);
    high *= d_high * vec4(ivec4(b << 24, b << 16, b << 8, b) >> 24);
}
#else
uint scale_words(uint groups) { return (8u * groups / kBlock + 1u) / 2u; }
vec2 row_scale(uint scales, uint groups, uint group) { return vec2(block_half(scales, kBlock / 8u, group), 0.0); }
void scale_outputs(uint scales, uint groups, uint group, uint i, inout vec4 low, inout vec4 high) {
    vec4 d_low, d_high;
    halves(lane_units(scales / 4u + group, 1u), d_low, d_high);
    low *= d_low;
    high *= d_high;
}
#endif

uint row_units(uint groups, bool plain) {
    if (plain) return kPlainType == kPlainF32 ? 2u * groups : groups;
    return units_of(low_words(groups) + high_words(groups) + scale_words(groups));
}
void load_weights(uint row_at, uint groups, uint group, bool plain, out vec4 low, out vec4 high) {
    if (plain) {
        load_plain_weights(row_at, group, low, high);
        return;
    }
    load_quants(4u * row_at, groups, group, low, high);
    vec2 scale = row_scale(scales_of(4u * row_at, groups), groups, group);
#if defined(MINIMA) || defined(SUB_MINIMA)
    low = scale.x * low + scale.y;
    high = scale.x * high + scale.y;
#else
    low *= scale.x;
    high *= scale.x;
#endif
}
// A strip is a row of kBlock * groups groups, whose scales lie otherwise.
void load_outputs(uint at, uint groups, uint input_index, uint group, out vec4 low, out vec4 high) {
    uint i = input_index % kBlock, all = kBlock * groups, strip = 4u * (at + input_index / kBlock * row_units(all, false));
    load_quants(strip, all, i * groups + group, low, high);
    scale_outputs(scales_of(strip, all), groups, group, i, low, high);
}
