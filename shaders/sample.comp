#version 450
// The end of a decode step, one workgroup.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#include "lib/sample.glsl"
layout(set = 0, binding = kSampleScratch) buffer StepHeader { uint step_header[]; };

void main() {
    uint entry = step_header[kStepEntry];
    bool run = step_header[kStepRun] != 0u, sampled = step_header[kStepSample] != 0u;
    uint token = sampled ? choose(entry, p.work_at) : 0u;
    barrier();
    if (gl_LocalInvocationID.x != 0u) return;
    // As `embed` saw it: the host may have appended to the prompt since.
    if (run) account(entry, step_header[kStepPrompt]);
    if (sampled) produce(entry, token);
    control.step += 1u;
}
