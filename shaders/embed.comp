#version 450
// The beginning of a step, one workgroup: decides from the control block which session is served and what there is to do,
// writes that into the step header, and puts x = LN0(emb[token]) into scratch. A large table is several launches, each
// with a part of the rows bound: all write the same header, one finds the row. The control block changes only at the
// step's end (sample.comp).
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#define WEIGHTS_BINDING kEmbedWeights
layout(push_constant) uniform Params { EmbedParams p; };
layout(set = 0, binding = kEmbedParams) readonly buffer Parameters { vec4 parameters[]; };
layout(set = 0, binding = kEmbedScratch) coherent buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kEmbedScratch) buffer StepHeader { uint step_header[]; };
layout(set = 0, binding = kEmbedControl) volatile readonly buffer Control { ControlHeader control; ControlEntry entries[]; };
#include "lib/reduce.glsl"
#include "lib/weights.glsl"
#include "lib/layer_norm.glsl"

shared uint decided_run, decided_token;

// By one invocation: the host may set stop_request and append to the prompt while this runs, and all must act on one answer.
void decide() {
    uint entry = control.queue[control.step % kQueueLength];
    uint prompt_left = entries[entry].prompt_end - entries[entry].prompt_read;
    bool stopped = entries[entry].stop_request != 0u;
    bool more = entries[entry].generating != 0u && entries[entry].halt == kHaltNone &&
                entries[entry].produced < entries[entry].limit;
    bool prompt = prompt_left != 0u, pending = !prompt && entries[entry].pending != 0u;
    bool run = (prompt || pending) && !stopped;
    bool last = prompt_left <= 1u; // nothing of the prompt is left after this token
    decided_run = uint(run);
    decided_token = prompt ? entries[entry].prompt[entries[entry].prompt_read % kPromptLength] : entries[entry].next_token;

    step_header[kStepRun] = decided_run;
    step_header[kStepToken] = decided_token;
    step_header[kStepParity] = entries[entry].parity;
    step_header[kStepSlot] = entries[entry].slot;
    step_header[kStepLogits] = uint(run && (last || entries[entry].logits_every != 0u));
    step_header[kStepSample] = uint(more && last && !stopped);
    step_header[kStepEntry] = entry;
    step_header[kStepPrompt] = uint(prompt);
}

void main() {
    if (gl_LocalInvocationID.x == 0u) decide();
    barrier();
    uint token = decided_token;
    bool run = decided_run != 0u;
    uint row = token - p.first_row; // wraps where the row is in an earlier part
    if (!run || row >= p.rows) return;
    for (uint g = gl_LocalInvocationID.x; g < p.groups; g += kLocalSize) {
        vec4 low, high;
        load_weights(row * row_units(p.groups), p.groups, g, low, high);
        scratch4[p.x_at + 2u * g] = low;
        scratch4[p.x_at + 2u * g + 1u] = high;
    }
    memoryBarrierBuffer();
    barrier();
    vec2 statistics = layer_norm_statistics(p.x_at, p.width);
    barrier();
    uint vectors = 2u * p.groups;
    for (uint i = gl_LocalInvocationID.x; i < vectors; i += kLocalSize)
        scratch4[p.x_at + i] = (scratch4[p.x_at + i] - statistics.x) * statistics.y * parameters[p.norm_at + i] +
                               parameters[p.norm_at + vectors + i];
}
