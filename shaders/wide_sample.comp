#version 450
// The end of a wide step, a workgroup a run.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#include "lib/sample.glsl"
layout(set = 0, binding = kSampleScratch) readonly buffer Header { uint header[]; };

void main() {
    if (gl_LocalInvocationID.x == 0u && gl_WorkGroupID.x == 0u) control.wide_step += 1u;
    if (gl_WorkGroupID.x >= header[kWideRuns]) return;
    uint run = kWideRunsAt + gl_WorkGroupID.x * kRunWords, entry = header[run + kRunEntry], rows = header[run + kRunRows];
    bool sampled = header[run + kRunSample] != 0u;
    uint token = sampled ? choose(entry, p.work_at + gl_WorkGroupID.x * p.work_stride) : 0u;
    barrier();
    if (gl_LocalInvocationID.x != 0u) return;
    if (rows != 0u) account(entry, header[run + kRunPrompt] != 0u ? rows : 0u);
    if (sampled) produce(entry, token);
}
