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

// Of each format: the words of its planes of low and high bits; the quants of a group as they lie there, four bytes a word: elements
// 0, 2, 4, 6 and 1, 3, 5, 7, as two masks leave nibbles, or in their order (kInOrder). kZero is still to be taken off each. Many devices
// make a float of any byte of a word in one instruction.
#ifdef WEIGHTS_Q8_0 // 32 elements: int8, scale d
const uint kBlock = 32u;
const bool kInOrder = true;
const int kZero = 0;
uint low_words(uint groups) { return 2u * groups; }
uint high_words(uint groups) { return 0u; }
uvec2 quant_bytes(uint row, uint groups, uint group) {
    return uvec2(lane_word(row + 2u * group, 2u), lane_word(row + 2u * group + 1u, 2u));
}
vec4 of_bytes(uint bytes) { return vec4(ivec4(bytes << 24, bytes << 16, bytes << 8, bytes) >> 24); }
#else
#ifdef WEIGHTS_NF4
const bool kInOrder = true;
#else
const bool kInOrder = false;
#endif
uint low_words(uint groups) { return groups; }
uvec2 nibble_bytes(uint row, uint group) {
    uint q = lane_word(row + group, 1u); // element i in bits 4 i
    return uvec2(q, q >> 4) & 0x0f0f0f0fu;
}
#if defined(WEIGHTS_NF4) // which are indices of a table: two bytes a word
uint high_words(uint groups) { return 0u; }
uvec2 quant_bytes(uint row, uint groups, uint group) {
    uint q = lane_word(row + group, 1u);
    return uvec2(q, q >> 16);
}
#elif defined(WEIGHTS_Q4_0) || defined(WEIGHTS_Q4_1) || defined(WEIGHTS_Q4_K)
uint high_words(uint groups) { return 0u; }
uvec2 quant_bytes(uint row, uint groups, uint group) { return nibble_bytes(row, group); }
#elif defined(WEIGHTS_Q6_K)
uint high_words(uint groups) { return groups / 2u; }
uvec2 quant_bytes(uint row, uint groups, uint group) {
    uint top = lanes_word(row + groups + group / 2u, 2u) >> 16u * (own(group) & 1u) & 0xffffu;
    top |= top << 20; // now in bits 4 and 5 of the first word's bytes, 6 and 7 of the second's
    return nibble_bytes(row, group) | uvec2(top, top >> 2) & 0x30303030u;
}
#else
uint high_words(uint groups) { return groups / 4u; }
uvec2 quant_bytes(uint row, uint groups, uint group) {
    uint fifth = group_byte(row + groups, group);
    // Bits 0, 2, 4, 6 to bits 4, 12, 20, 28: a product moves them all; what else it makes does not reach these.
    return nibble_bytes(row, group) | (uvec2(fifth, fifth >> 1) & 0x55u) * 0x00410410u & 0x10101010u;
}
#endif
#if defined(WEIGHTS_Q4_0) // 32 elements: d (q - 8)
const uint kBlock = 32u;
const int kZero = 8;
#elif defined(WEIGHTS_Q4_1) || defined(WEIGHTS_Q5_1) // 32 elements: d q + m
#define MINIMA
const uint kBlock = 32u;
const int kZero = 0;
#elif defined(WEIGHTS_Q5_0) // 32 elements: d (q - 16)
const uint kBlock = 32u;
const int kZero = 16;
#elif defined(WEIGHTS_Q4_K) || defined(WEIGHTS_Q5_K) // 256 elements: d, dmin; each 32 of them: scale and min of 6 bits
#define SUB_MINIMA
const uint kBlock = 256u;
const int kZero = 0;
#elif defined(WEIGHTS_Q6_K) // 256 elements: d; each 16 of them: int8 scale; d scale (q - 32)
const uint kBlock = 256u;
const int kZero = 32;
#elif defined(WEIGHTS_NF4) // 64 elements: absmax times the 16 quantiles of a normal distribution (QLoRA, arXiv 2305.14314)
const uint kBlock = 64u;
const int kZero = 0;
const float kNormalFloat[16] = float[](
    -1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635, -0.18477343022823334,
    -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725, 0.24611230194568634, 0.33791524171829224,
    0.44070982933044434, 0.5626170039176941, 0.7229568362236023, 1.0);
// A table's entries one by one, of both words in turn: Adreno 660's registers do for that (turnip 26.2).
void numbers(uvec2 quants, out vec4 first, out vec4 second) {
    for (uint i = 0u; i < 4u; ++i) {
        first[i] = kNormalFloat[quants.x >> 4u * i & 15u];
        second[i] = kNormalFloat[quants.y >> 4u * i & 15u];
    }
}
#endif
vec4 of_bytes(uint bytes) { return vec4(uvec4(bytes, bytes >> 8, bytes >> 16, bytes >> 24) & 255u); }
#endif
#ifndef WEIGHTS_NF4
void numbers(uvec2 quants, out vec4 first, out vec4 second) {
    first = of_bytes(quants.x);
    second = of_bytes(quants.y);
}
#endif

// Numbers of quants times inputs that add up to `inputs`, in the order of the elements and without kZero.
void to_elements(vec4 first, vec4 second, float inputs, out vec4 low, out vec4 high) {
    low = kInOrder ? first : vec4(first.x, second.x, first.y, second.y);
    high = kInOrder ? second : vec4(first.z, second.z, first.w, second.w);
    if (kZero == 0) return;
    low -= float(kZero) * inputs;
    high -= float(kZero) * inputs;
}

// The planes of scales: of a row, by block, where row_scale gives a group's scale and what is added to its scaled elements; of a
// strip, by output, where block_output_scales gives what eight of them have for the input `i` of its block.
uint scales_of(uint row, uint groups) { return row + low_words(groups) + high_words(groups); }
void halves(uvec4 q, out vec4 low, out vec4 high) {
    low = vec4(unpackHalf2x16(q.x), unpackHalf2x16(q.y));
    high = vec4(unpackHalf2x16(q.z), unpackHalf2x16(q.w));
}
// scale_outputs: of outputs' quants times inputs that add up to `inputs`, the weights times these.
#if defined(MINIMA)
uint scale_words(uint groups) { return 8u * groups / kBlock; }
vec2 row_scale(uint scales, uint groups, uint group) {
    return unpackHalf2x16(lanes_word(scales + 8u * group / kBlock, kBlock / 8u));
}
struct OutputScales {
    uvec4 low, high; // scale, minimum
};
OutputScales block_output_scales(uint scales, uint groups, uint group, uint i) {
    uint at = scales / 4u + 2u * group;
    return OutputScales(lane_units(at, 2u), lane_units(at + 1u, 2u));
}
void scale_outputs(OutputScales scales, float inputs, inout vec4 low, inout vec4 high) {
    for (uint o = 0u; o < 4u; ++o) {
        vec2 first = unpackHalf2x16(scales.low[o]), second = unpackHalf2x16(scales.high[o]);
        low[o] = first.x * low[o] + first.y * inputs;
        high[o] = second.x * high[o] + second.y * inputs;
    }
}
#elif defined(SUB_MINIMA)
uint scale_words(uint groups) { return groups / 8u + groups / 32u; }
vec2 row_scale(uint scales, uint groups, uint group) {
    vec2 d = unpackHalf2x16(lanes_word(scales + groups / 8u + group / 32u, 32u));
    uint sub = lanes_word(scales + group / 8u, 8u) >> 16u * (own(group) / 4u & 1u);
    return vec2(d.x, -d.y) * vec2(uvec2(sub, sub >> 8u) & 255u);
}
struct OutputScales {
    uvec4 subs; // a byte scale, a byte minimum each
    uvec4 low, high;
};
OutputScales block_output_scales(uint scales, uint groups, uint group, uint i) {
    uint at = scales / 4u + 8u * groups + 2u * group;
    return OutputScales(lane_units(scales / 4u + i / 32u * groups + group, 1u), lane_units(at, 2u), lane_units(at + 1u, 2u));
}
void scale_outputs(OutputScales scales, float inputs, inout vec4 low, inout vec4 high) {
    for (uint o = 0u; o < 4u; ++o) {
        uint s = scales.subs[o / 2u] >> (16u * (o & 1u)), t = scales.subs[2u + o / 2u] >> (16u * (o & 1u));
        vec2 first = unpackHalf2x16(scales.low[o]), second = unpackHalf2x16(scales.high[o]);
        low[o] = first.x * float(s & 255u) * low[o] - first.y * float((s >> 8) & 255u) * inputs;
        high[o] = second.x * float(t & 255u) * high[o] - second.y * float((t >> 8) & 255u) * inputs;
    }
}
#elif defined(WEIGHTS_Q6_K)
uint scale_words(uint groups) { return groups / 8u + (groups / 32u + 1u) / 2u; }
vec2 row_scale(uint scales, uint groups, uint group) {
    int scale = int(lanes_word(scales + group / 8u, 8u) << 24u - 8u * (own(group) / 2u & 3u)) >> 24;
    return vec2(block_half(scales + groups / 8u, 32u, group) * float(scale), 0.0);
}
struct OutputScales {
    uvec2 subs; // a byte each
    uvec4 blocks;
};
OutputScales block_output_scales(uint scales, uint groups, uint group, uint i) {
    uint at = scales + 2u * (i / 16u * groups + group);
    return OutputScales(uvec2(lane_word(at, 2u), lane_word(at + 1u, 2u)), lane_units(scales / 4u + 8u * groups + group, 1u));
}
void scale_outputs(OutputScales scales, float inputs, inout vec4 low, inout vec4 high) {
    int a = int(scales.subs.x), b = int(scales.subs.y);
    vec4 d_low, d_high;
    halves(scales.blocks, d_low, d_high);
    low *= d_low * vec4(ivec4(a << 24, a << 16, a << 8, a) >> 24);
    high *= d_high * vec4(ivec4(b << 24, b << 16, b << 8, b) >> 24);
}
#else
uint scale_words(uint groups) { return (8u * groups / kBlock + 1u) / 2u; }
vec2 row_scale(uint scales, uint groups, uint group) { return vec2(block_half(scales, kBlock / 8u, group), 0.0); }
struct OutputScales {
    uvec4 blocks;
};
OutputScales block_output_scales(uint scales, uint groups, uint group, uint i) {
    return OutputScales(lane_units(scales / 4u + group, 1u));
}
void scale_outputs(OutputScales scales, float inputs, inout vec4 low, inout vec4 high) {
    vec4 d_low, d_high;
    halves(scales.blocks, d_low, d_high);
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
    uvec2 quants = quant_bytes(4u * row_at, groups, group);
    vec4 first, second;
    numbers(quants, first, second);
    to_elements(first, second, 1.0, low, high);
    vec2 scale = row_scale(scales_of(4u * row_at, groups), groups, group);
#if defined(MINIMA) || defined(SUB_MINIMA)
    low = scale.x * low + scale.y;
    high = scale.x * high + scale.y;
#else
    low *= scale.x;
    high *= scale.x;
#endif
}

// Of a matrix kept by input: a strip is a row of kBlock * groups groups, whose scales lie otherwise.
uint strip_at(uint at, uint groups, uint input_index) { return 4u * (at + input_index / kBlock * row_units(kBlock * groups, false)); }
uvec2 output_quants(uint at, uint groups, uint input_index, uint group) {
    return quant_bytes(strip_at(at, groups, input_index), kBlock * groups, input_index % kBlock * groups + group);
}
OutputScales output_scales(uint at, uint groups, uint input_index, uint group) {
    return block_output_scales(scales_of(strip_at(at, groups, input_index), kBlock * groups), groups, group, input_index % kBlock);
}
void load_outputs(uint at, uint groups, uint input_index, uint group, out vec4 low, out vec4 high) {
    uvec2 quants = output_quants(at, groups, input_index, group);
    vec4 first, second;
    numbers(quants, first, second);
    to_elements(first, second, 1.0, low, high);
    scale_outputs(output_scales(at, groups, input_index, group), 1.0, low, high);
}
