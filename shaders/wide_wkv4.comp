#version 450
// r * wkv of RWKV-4 for all rows of a wide step: the WKV operator in its stable form, as in wkv4_project_add.comp. A workgroup has
// kLanes channels of a run and shares its rows out among teams, kTeamRows each, parallel in time: a team first adds up its own rows
// from nothing, then takes the state past the sums of the teams before it (sums with a running maximum are associative), and goes
// through its rows again with what it found. The state goes on by the teams' sums, so that its bits do not depend on where a
// prompt is cut, as long as that is at a multiple of kTeamRows.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
layout(local_size_x_id = kSpecLocalSize) in;
layout(constant_id = kSpecLocalSize) const uint kLocalSize = 256u;
layout(constant_id = kSpecLanes) const uint kLanes = 32u;
layout(push_constant) uniform Params { WideWkv4Params p; };
layout(set = 0, binding = kWideWkvParams) readonly buffer Parameters { float parameters[]; };
layout(set = 0, binding = kWideWkvScratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kWideWkvScratch) readonly buffer Header { uint header[]; };
layout(set = 0, binding = kWideWkvState) buffer State { float state[]; };

const uint kTeams = kLocalSize / kLanes, kTeamRows = 16u;

// exp(top) (numerator, denominator) are the sums so far; top is their largest exponent.
struct Sums {
    float numerator, denominator, top;
};
shared float numerators[kLocalSize], denominators[kLocalSize], tops[kLocalSize];

// `later` comes behind `sums`, which have `faded` (a logarithm) since.
Sums joined(Sums sums, float faded, Sums later) {
    float before = sums.top + faded, top = max(before, later.top);
    float e1 = exp(before - top), e2 = exp(later.top - top);
    return Sums(e1 * sums.numerator + e2 * later.numerator, e1 * sums.denominator + e2 * later.denominator, top);
}

// With the sums of the first `teams` teams, which have `rows` rows together.
Sums past(Sums sums, uint teams, uint rows, uint lane, float decay) {
    for (uint team = 0u; team < teams && team * kTeamRows < rows; ++team) {
        uint at = team * kLanes + lane;
        float count = float(min(rows - team * kTeamRows, kTeamRows));
        sums = joined(sums, count * decay, Sums(numerators[at], denominators[at], tops[at]));
    }
    return sums;
}

void main() {
    uint run = kWideRunsAt + gl_WorkGroupID.y * kRunWords;
    if (gl_WorkGroupID.y >= header[kWideRuns] || header[run + kRunRows] == 0u) return;
    uint lane = gl_LocalInvocationID.x % kLanes, team = gl_LocalInvocationID.x / kLanes;
    uint channel = min(gl_WorkGroupID.x * kLanes + lane, p.width - 1u); // the last one more often than once is not written
    bool mine = gl_WorkGroupID.x * kLanes + lane < p.width && team < kTeams;
    uint first_token = header[run + kRunFirst], end = first_token + header[run + kRunRows];
    uint copy = 3u * p.vector_stride, slot = 4u * (p.wkv_at + header[run + kRunSlot] * p.slot_stride) + channel;
    uint old_at = slot + header[run + kRunParity] * copy, new_at = slot + (1u - header[run + kRunParity]) * copy;
    Sums carried = Sums(state[old_at], state[old_at + p.vector_stride], state[old_at + 2u * p.vector_stride]);
    float decay = parameters[4u * p.decay_at + channel], first = parameters[4u * p.decay_at + p.vector_stride + channel];

    for (uint block = first_token; block < end; block += kTeams * kTeamRows) {
        uint from = block + team * kTeamRows, to = mine ? min(from + kTeamRows, end) : from;
        Sums own = Sums(0.0, 0.0, -1e38);
        for (uint t = from; t < to; ++t) {
            uint at = t * p.stride + channel;
            own = joined(own, decay, Sums(scratch[4u * p.v_at + at], 1.0, scratch[4u * p.k_at + at]));
        }
        numerators[gl_LocalInvocationID.x] = own.numerator;
        denominators[gl_LocalInvocationID.x] = own.denominator;
        tops[gl_LocalInvocationID.x] = own.top;
        barrier();
        Sums sums = past(carried, team, end - block, lane, decay);
        carried = past(carried, kTeams, end - block, lane, decay);
        for (uint t = from; t < to; ++t) {
            uint at = t * p.stride + channel;
            Sums token = Sums(scratch[4u * p.v_at + at], 1.0, scratch[4u * p.k_at + at]);
            Sums shown = joined(sums, 0.0, Sums(token.numerator, 1.0, first + token.top));
            scratch[4u * p.y_at + at] = scratch[4u * p.r_at + at] * shown.numerator / shown.denominator;
            sums = joined(sums, decay, token);
        }
        barrier();
    }
    if (!mine || team != 0u) return;
    state[new_at] = carried.numerator;
    state[new_at + p.vector_stride] = carried.denominator;
    state[new_at + 2u * p.vector_stride] = carried.top;
}
