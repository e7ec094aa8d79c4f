#version 450
// The normalised and token-shifted inputs of the matrices that follow, for all rows of a wide step, a workgroup a row:
//   mixed[m, t] = n + (previous - n) (mu_m + extra[m, t]),  n = LN(x[t])
// (arXiv 2305.13048; the weight is the previous token's). `previous` is LN of the row before; for a run's first row it is
// what the state kept of the step before, and the last row's n is kept for the next. Without a state, mixed is n.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
layout(push_constant) uniform Params { WideMixParams p; };
layout(set = 0, binding = kWideMixParams) readonly buffer Parameters { vec4 parameters[]; };
layout(set = 0, binding = kWideMixScratch) buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kWideMixScratch) readonly buffer Header { uint header[]; };
layout(set = 0, binding = kWideMixState) buffer State { vec4 state[]; };
#include "lib/reduce.glsl"
#include "lib/layer_norm.glsl"

vec4 normalised(uint at, uint i, vec2 statistics) {
    return (scratch4[at + i] - statistics.x) * statistics.y * parameters[p.norm_at + i] +
           parameters[p.norm_at + 2u * p.groups + i];
}

void main() {
    uint t = gl_WorkGroupID.x, vectors = 2u * p.groups;
    if (t >= header[p.answers != 0u ? kWideAnswers : kWideRows]) return;
    uint source = p.answers != 0u ? header[kWideAnswersAt + 2u * t] : t, x = p.x_at + source * vectors;
    bool shift = p.kept_at != kNone;
    uint run = kWideRunsAt + header[kWideRowsAt + 2u * source + 1u] * kRunWords, first = header[run + kRunFirst];
    vec2 own = layer_norm_statistics(x, p.width), previous = vec2(0.0);
    if (shift && t > first) previous = layer_norm_statistics(x - vectors, p.width);
    uint kept = p.kept_at + header[run + kRunSlot] * p.slot_stride, parity = header[run + kRunParity];
    uint old_at = kept + parity * vectors, new_at = kept + (1u - parity) * vectors;
    bool last = t + 1u == first + header[run + kRunRows];
    for (uint i = gl_LocalInvocationID.x; i < vectors; i += kLocalSize) {
        vec4 n = normalised(x, i, own), difference = vec4(0.0);
        if (shift) difference = (t > first ? normalised(x - vectors, i, previous) : state[old_at + i]) - n;
        if (shift && p.writes_kept != 0u && last) state[new_at + i] = n;
        for (uint m = 0u; m < p.mixes; ++m) {
            uint at = t * vectors + i;
            vec4 mu = shift ? parameters[p.mix_at[m] + i] : vec4(0.0);
            if (p.extra_at != kNone) mu += scratch4[p.extra_at + m * p.extra_stride + at];
            scratch4[p.mixed_at + m * p.mixed_stride + at] = n + difference * mu;
        }
    }
}
