#version 450
// r * wkv of RWKV-4 for all rows of a wide step, an invocation for a channel of a run: the WKV operator in its stable form, as in
// wkv4_project_add.comp, with the state in registers from the run's first row to its last.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
layout(local_size_x_id = kSpecLocalSize) in;
layout(push_constant) uniform Params { WideWkv4Params p; };
layout(set = 0, binding = kWideWkvParams) readonly buffer Parameters { float parameters[]; };
layout(set = 0, binding = kWideWkvScratch) buffer Scratch { float scratch[]; };
layout(set = 0, binding = kWideWkvScratch) readonly buffer Header { uint header[]; };
layout(set = 0, binding = kWideWkvState) buffer State { float state[]; };

void main() {
    uint run = kWideRunsAt + gl_WorkGroupID.y * kRunWords, channel = gl_GlobalInvocationID.x;
    if (gl_WorkGroupID.y >= header[kWideRuns] || header[run + kRunRows] == 0u || channel >= p.width) return;
    uint first_token = header[run + kRunFirst], end = first_token + header[run + kRunRows];
    uint copy = 3u * p.vector_stride, slot = 4u * (p.wkv_at + header[run + kRunSlot] * p.slot_stride) + channel;
    uint old_at = slot + header[run + kRunParity] * copy, new_at = slot + (1u - header[run + kRunParity]) * copy;
    float aa = state[old_at], bb = state[old_at + p.vector_stride], pp = state[old_at + 2u * p.vector_stride];
    float decay = parameters[4u * p.decay_at + channel], first = parameters[4u * p.decay_at + p.vector_stride + channel];
    for (uint t = first_token; t < end; ++t) {
        uint at = t * p.stride + channel;
        float k = scratch[4u * p.k_at + at], v = scratch[4u * p.v_at + at];
        float bonus = first + k, top = max(pp, bonus);
        float e1 = exp(pp - top), e2 = exp(bonus - top);
        scratch[4u * p.y_at + at] = scratch[4u * p.r_at + at] * (e1 * aa + e2 * v) / (e1 * bb + e2);
        float faded = pp + decay;
        top = max(faded, k);
        e1 = exp(faded - top);
        e2 = exp(k - top);
        aa = e1 * aa + e2 * v;
        bb = e1 * bb + e2;
        pp = top;
    }
    state[new_at] = aa;
    state[new_at + p.vector_stride] = bb;
    state[new_at + 2u * p.vector_stride] = pp;
}
