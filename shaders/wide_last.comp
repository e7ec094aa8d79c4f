#version 450
// The end of a wide step, one workgroup: its last row becomes the x of a decode step whose head follows, and the control
// entry is brought up to date.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
layout(local_size_x_id = kSpecLocalSize) in;
layout(push_constant) uniform Params { WideLastParams p; };
layout(set = 0, binding = kWideLastScratch) readonly buffer Scratch4 { vec4 scratch4[]; };
layout(set = 0, binding = kWideLastScratch) readonly buffer Header { uint header[]; };
layout(set = 0, binding = kWideLastStep) writeonly buffer Step4 { vec4 step4[]; };
layout(set = 0, binding = kWideLastStep) writeonly buffer StepHeader { uint step_header[]; };
layout(set = 0, binding = kWideLastControl) buffer Control { ControlHeader control; ControlEntry entries[]; };

void main() {
    uint rows = header[kWideRows], vectors = 2u * p.groups;
    if (gl_LocalInvocationID.x == 0u) {
        step_header[kStepRun] = 0u;
        step_header[kStepSample] = 0u;
        step_header[kStepSlot] = header[kWideSlot];
        step_header[kStepLogits] = uint(rows != 0u && header[kWideLast] != 0u);
    }
    if (rows == 0u) return;
    for (uint i = gl_LocalInvocationID.x; i < vectors; i += gl_WorkGroupSize.x)
        step4[p.to_at + i] = scratch4[p.x_at + (rows - 1u) * vectors + i];
    if (gl_LocalInvocationID.x != 0u) return;
    uint entry = header[kWideEntry];
    entries[entry].parity ^= 1u;
    entries[entry].prompt_read += rows;
}
