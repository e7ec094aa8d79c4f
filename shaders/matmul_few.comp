#version 450
// matmul.comp for few tokens: the same products and segments, with rows read as matvecs read them. A team takes kRows
// rows at a time and walks the columns in groups of eight; each group of weights is read once and multiplied by
// kTokens inputs. A row's sums go in the order of a decode step's.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#include "lib/params.glsl"
#define WEIGHTS_BINDING kMatmulWeights
PARAMS(MatmulParams);
layout(set = 0, binding = kMatmulParams) readonly buffer Segments { uvec4 segments[]; };
layout(set = 0, binding = kMatmulScratch) readonly buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kMatmulScratch) readonly buffer Scratch { float scratch[]; };
layout(set = 0, binding = kMatmulScratch) readonly buffer Header { uint header[]; };
layout(set = 0, binding = kMatmulOut) buffer Out { float results[]; };
#include "lib/reduce.glsl"
#define UNIFORM_LANE team_lane()
#include "lib/weights.glsl"
#include "lib/activations.glsl"
layout(constant_id = kSpecRows) const uint kRows = 4u;
layout(constant_id = kSpecGroupRows) const uint kGroupRows = 16u;
layout(constant_id = kSpecFewTokens) const uint kTokens = 8u;

#include "lib/lane_inputs.glsl"
shared vec4 totals[kLocalSize / kLeastTeam][(kRows * kTokens + 3u) / 4u]; // [team][token][row]
uvec4 first, second, third; // the segment

void store(uint token, uint row, float value) {
    uint place = p.answers != 0u ? header[kWideAnswersAt + 2u * token + 1u] : token;
    uint at = first.w + place * third.x + row;
    if (second.y == kActivationAdd)
        results[at] += (third.z == kNone ? 1.0 : scratch[third.z + token * third.w + row]) * value;
    else
        results[at] = activate(value, second.y);
}

void main() {
    uint tokens = header[p.answers != 0u ? kWideAnswers : kWideRows], first_token = gl_WorkGroupID.y * kTokens;
    if (first_token >= tokens) return;
    uint s = p.segments_at, begin = 0u;
    while (gl_WorkGroupID.x >= segments[s].x) {
        begin = segments[s].x;
        s += 3u;
    }
    first = segments[s];
    second = segments[s + 1u];
    third = segments[s + 2u];
    uint rows = first.z, groups = second.w, first_row = (gl_WorkGroupID.x - begin) * kGroupRows;
    bool plain = beside(second.z);
    uint units = row_units(groups, plain);
    uint input_at[kTokens]; // a token too many goes through the motions on the last one
    for (uint t = 0u; t < kTokens; ++t) input_at[t] = second.x + min(first_token + t, AT_MOST(tokens - 1u, tokens)) * third.y;

    for (uint base = 0u; base < kGroupRows; base += team_count() * kRows) {
        uint mine = base + team() * kRows;
        uint row_at[kRows];
        float sums[kRows * kTokens];
        for (uint r = 0u; r < kRows; ++r) row_at[r] = first.y + min(first_row + mine + r, rows - 1u) * units;
        for (uint i = 0u; i < kRows * kTokens; ++i) sums[i] = 0.0;
        for (uint g = team_lane(); g < groups; g += team_size()) {
            uint group = lanes_group(g, groups);
            vec4 low[kRows], high[kRows];
            for (uint r = 0u; r < kRows; ++r) load_weights(row_at[r], groups, group, plain, low[r], high[r]);
            for (uint t = 0u; t < kTokens; ++t) {
                vec4 input_low = lane_inputs(input_at[t] + 2u * group, 2u),
                     input_high = lane_inputs(input_at[t] + 2u * group + 1u, 2u);
                for (uint r = 0u; r < kRows; ++r)
                    sums[t * kRows + r] += dot(low[r], input_low) + dot(high[r], input_high);
            }
        }
        // By way of shared memory: a loop with all of store() in it is too long for some compilers to unroll, and sums
        // would then be indexed where they are slow, in memory.
        barrier(); // the totals before have been read
        for (uint i = 0u; i < kRows * kTokens; i += 4u) {
            const uint last = kRows * kTokens - 1u;
            vec4 four = team_add(vec4(sums[i], sums[min(i + 1u, last)], sums[min(i + 2u, last)], sums[min(i + 3u, last)]));
            if (team_lane() == 0u) totals[team()][i / 4u] = four;
        }
        barrier();
        for (uint i = team_lane(); i < kRows * kTokens; i += team_size()) {
            uint token = first_token + i / kRows, row = mine + i % kRows;
            if (token < tokens && row < kGroupRows && first_row + row < rows)
                store(token, first_row + row, totals[team()][i / 4u][i % 4u]);
        }
    }
}
