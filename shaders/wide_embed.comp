#version 450
// x[t] = LN0(emb[token t]) for the rows of a wide step, a workgroup a row. The rows were settled by wide_begin.comp, and the
// control block's account of the prompt changes only at the step's end (sample.comp).
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#define WEIGHTS_BINDING kEmbedWeights
layout(push_constant) uniform Params { EmbedParams p; };
layout(set = 0, binding = kEmbedParams) readonly buffer Parameters { vec4 parameters[]; };
layout(set = 0, binding = kEmbedScratch) coherent buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kEmbedScratch) buffer Header { uint header[]; };
layout(set = 0, binding = kEmbedControl) readonly buffer Control { ControlHeader control; ControlEntry entries[]; };
#include "lib/reduce.glsl"
#include "lib/weights.glsl"
#include "lib/layer_norm.glsl"

void main() {
    uint t = gl_WorkGroupID.x;
    uint rows = header[kWideRows];
    if (t >= rows) return;
    uint run = kWideRunsAt + header[kWideRowsAt + 2u * t + 1u] * kRunWords, entry = header[run + kRunEntry];
    uint token = header[run + kRunPrompt] != 0u
                     ? entries[entry].prompt[(entries[entry].prompt_read + t - header[run + kRunFirst]) % kPromptLength]
                     : entries[entry].next_token;
    if (gl_LocalInvocationID.x == 0u) header[kWideRowsAt + 2u * t] = token;
    uint row = token - p.first_row; // wraps where the row is in an earlier part
    if (row >= p.rows) return;
    uint at = p.x_at + t * 2u * p.groups;
    for (uint g = gl_LocalInvocationID.x; g < p.groups; g += kLocalSize) {
        vec4 low, high;
        load_weights(row * row_units(p.groups), p.groups, g, low, high);
        scratch4[at + 2u * g] = low;
        scratch4[at + 2u * g + 1u] = high;
    }
    memoryBarrierBuffer();
    barrier();
    vec2 statistics = layer_norm_statistics(at, p.width);
    barrier();
    uint vectors = 2u * p.groups;
    for (uint i = gl_LocalInvocationID.x; i < vectors; i += kLocalSize)
        scratch4[at + i] = (scratch4[at + i] - statistics.x) * statistics.y * parameters[p.norm_at + i] +
                           parameters[p.norm_at + vectors + i];
}
