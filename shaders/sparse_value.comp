#version 450
// x[t] += gate[t] * (W h[t]), for the value matrix of channel mixing: most of h = relu(...)^2 is exactly zero in a trained
// model, and the weights of an input that is zero in every row of the step are not read. They lie together: W is kept by
// input. A workgroup has 8 kLanes kGroups outputs; a team of kLanes neighbours takes every so manieth word of 32 inputs,
// kGroups times 8 outputs a lane. An input's place in a sum does not depend on which others are zero, and 0 w adds nothing: the
// sums are those of the dense product, to the bit, and those of a row do not depend on the rows beside it, if there are any.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#include "lib/params.glsl"
#define WEIGHTS_BINDING kSparseWeights
layout(local_size_x_id = kSpecLocalSize) in;
layout(constant_id = kSpecLanes) const uint kLanes = 8u;
layout(constant_id = kSpecInputWords) const uint kInputWords = 1u;
layout(constant_id = kSpecFewTokens) const uint kTokens = 1u;
#ifdef ADDRESS
layout(constant_id = kSpecLaneGroups) const uint kGroups = 1u; // more with kUniformLanes only
#define FOR_GROUPS(g) for (uint g = 0u; g < kGroups; ++g)
#else
const uint kGroups = 1u;
#define FOR_GROUPS(g) const uint g = 0u; // a loop of one turn, too, changes what compilers unroll around it
#endif
PARAMS(SparseValueParams);
layout(set = 0, binding = kSparseScratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kSparseScratch) readonly buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kSparseScratch) readonly buffer Header { uint header[]; };
#define UNIFORM_LANE gl_LocalInvocationID.x // there the workgroup is one team, and that a subgroup
#include "lib/weights.glsl"

const uint kLocalSize = gl_WorkGroupSize.x, kTeams = kLocalSize / kLanes;
const uint kAhead = 4u; // inputs that a lane has under way
const uint kSums = kGroups * kTokens, kSumQuads = 2u * kSums;
shared uint present[kInputWords]; // a bit for each input
shared vec4 parts[2u * kLocalSize];

// Adds up what the teams have of a token.
void finish(uint token, uint tokens, uint first_output, vec4 low, vec4 high) {
    barrier();
    parts[2u * gl_LocalInvocationID.x] = low;
    parts[2u * gl_LocalInvocationID.x + 1u] = high;
    barrier();
    if (token >= tokens) return;
    for (uint o = gl_LocalInvocationID.x; o < 8u * kLanes; o += kLocalSize) {
        uint row = first_output + o;
        if (row >= p.outputs) return;
        float total = 0.0;
        for (uint k = 0u; k < kTeams; ++k) total += parts[2u * k * kLanes + o / 4u][o % 4u];
        scratch[p.result + token * p.result_stride + row] +=
            (p.gate == kNone ? 1.0 : scratch[p.gate + token * p.gate_stride + row]) * total;
    }
}

#ifdef WEIGHTS_BLOCKS
// Adds inputs of one token whose scales are the same, a part of a word of them: quants are multiplied, and scaled is their sum. More
// tokens share weights that are made once.
#ifdef WEIGHTS_Q6_K
const uint kParts = 2u; // of 16 inputs
#else
const uint kParts = 1u;
#endif
void add_scaled(uint part, uint in_at, uint groups, uint group, inout vec4 sums[kSumQuads]) {
    uint word = part / kParts, bits = present[word];
    if (kParts == 2u) bits &= 0xffffu << 16u * (part & 1u);
    if (bits == 0u) return;
    uint first_input = AT_MOST(32u / kParts * part, p.inputs - 1u);
    OutputScales scales[kGroups];
    vec4 first[kGroups], second[kGroups];
    for (uint g = 0u; g < kGroups; ++g) {
        scales[g] = output_scales(0u, groups, first_input, group + g * kLanes);
        first[g] = second[g] = vec4(0.0);
    }
    float added = 0.0;
    while (bits != 0u) {
        uvec2 quants[kAhead * kGroups];
        uint inputs[kAhead];
        uint count = 0u;
        for (uint i = 0u; i < kAhead; ++i) {
            // Past the last one the last is read again, and added no more.
            inputs[i] = AT_MOST(bits != 0u ? 32u * word + uint(findLSB(bits)) : inputs[max(i, 1u) - 1u], p.inputs - 1u);
            count += uint(bits != 0u);
            bits &= bits - 1u;
            FOR_GROUPS(g) quants[i * kGroups + g] = output_quants(0u, groups, inputs[i], group + g * kLanes);
        }
        for (uint i = 0u; i < kAhead; ++i) {
            float h = i < count ? scratch[4u * in_at + inputs[i]] : 0.0;
            added += h;
            FOR_GROUPS(g) {
                vec4 some, others;
                numbers(quants[i * kGroups + g], some, others);
                first[g] += h * some;
                second[g] += h * others;
            }
        }
    }
    for (uint g = 0u; g < kGroups; ++g) {
        vec4 low, high;
        to_elements(first[g], second[g], added, low, high);
        scale_outputs(scales[g], added, low, high);
        sums[2u * g] += low;
        sums[2u * g + 1u] += high;
    }
}
#endif

void main() {
    // Its first word counts the rows of a wide step; in a decode step it is 1 where a token is read.
    uint tokens = header[0], first_token = gl_WorkGroupID.y * kTokens;
    if (first_token >= tokens) return;
    uint in_at[kTokens]; // a token too many goes through the motions on the last one
    for (uint t = 0u; t < kTokens; ++t) in_at[t] = p.in_at + min(first_token + t, tokens - 1u) * p.in_stride;

    for (uint word = gl_LocalInvocationID.x; word < kInputWords; word += kLocalSize) {
        uint bits = 0u;
        for (uint quad = 0u; quad < 8u; ++quad) {
            uint first = 32u * word + 4u * quad;
            if (first >= p.inputs) break;
            bvec4 some = bvec4(false);
            for (uint t = 0u; t < kTokens; ++t) {
                vec4 h = scratch4[in_at[t] + first / 4u];
                some = bvec4(uvec4(some) | uvec4(notEqual(h, vec4(0.0)))); // a NaN is not zero
            }
            uvec4 each = uvec4(some) & uvec4(lessThan(uvec4(first) + uvec4(0u, 1u, 2u, 3u), uvec4(p.inputs)));
            bits |= (each.x | each.y << 1 | each.z << 2 | each.w << 3) << (4u * quad);
        }
        present[word] = bits;
    }
    barrier();

    uint groups = (p.outputs + 7u) / 8u;
    uint lane = gl_LocalInvocationID.x % kLanes, team = kTeams == 1u ? 0u : gl_LocalInvocationID.x / kLanes;
    uint first_group = gl_WorkGroupID.x * kGroups * kLanes;
    uint group = kUniformLanes == 0u ? min(first_group + lane, groups - 1u) : first_group;
    vec4 sums[kSumQuads];
    for (uint i = 0u; i < 2u * kSums; ++i) sums[i] = vec4(0.0);
#ifdef WEIGHTS_BLOCKS
    if (kTokens == 1u) {
        for (uint part = team; part < kParts * kInputWords; part += kTeams) add_scaled(part, in_at[0], groups, group, sums);
    } else
#endif
    for (uint word = team; word < kInputWords; word += kTeams) {
        uint bits = present[word];
        while (bits != 0u) {
            vec4 low[kAhead * kGroups], high[kAhead * kGroups];
            uint inputs[kAhead];
            uint count = 0u;
            for (uint i = 0u; i < kAhead; ++i) {
                // Past the last one the last is read again, and added no more.
                inputs[i] = AT_MOST(bits != 0u ? 32u * word + uint(findLSB(bits)) : inputs[max(i, 1u) - 1u], p.inputs - 1u);
                count += uint(bits != 0u);
                bits &= bits - 1u;
                FOR_GROUPS(g)
                    load_outputs(0u, groups, inputs[i], group + g * kLanes, low[i * kGroups + g], high[i * kGroups + g]);
            }
            for (uint i = 0u; i < kAhead; ++i)
                for (uint t = 0u; t < kTokens; ++t) {
                    float h = i < count ? scratch[4u * in_at[t] + inputs[i]] : 0.0;
                    FOR_GROUPS(g) {
                        sums[2u * (t * kGroups + g)] += h * low[i * kGroups + g];
                        sums[2u * (t * kGroups + g) + 1u] += h * high[i * kGroups + g];
                    }
                }
        }
    }

    // One by one: a loop with barriers is not unrolled by some compilers, and sums would be indexed where they are slow, in
    // memory. kSums is 8 at most.
#define FINISH(s)                                                                                                            \
    if (s < kSums)                                                                                                           \
        finish(first_token + s / kGroups, tokens, 8u * (first_group + s % kGroups * kLanes), sums[min(2u * s, last)],        \
               sums[min(2u * s + 1u, last)])
    const uint last = 2u * kSums - 1u;
    FINISH(0u);
    FINISH(1u);
    FINISH(2u);
    FINISH(3u);
    FINISH(4u);
    FINISH(5u);
    FINISH(6u);
    FINISH(7u);
}
