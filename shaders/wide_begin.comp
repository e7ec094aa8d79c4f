#version 450
// The beginning of a wide step, one invocation: which session is served and how much of its prompt is read. The host may
// append to the prompt and ask to stop while this runs, and all of the step must act on one answer.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
layout(local_size_x_id = kSpecLocalSize) in;
layout(push_constant) uniform Params { WideBeginParams p; };
layout(set = 0, binding = kWideBeginScratch) writeonly buffer Header { uint header[]; };
layout(set = 0, binding = kWideBeginControl) volatile readonly buffer Control { ControlHeader control; ControlEntry entries[]; };

void main() {
    if (gl_GlobalInvocationID.x != 0u) return;
    uint entry = control.wide_entry;
    uint left = entries[entry].prompt_end - entries[entry].prompt_read;
    uint rows = entries[entry].stop_request != 0u ? 0u : min(left, p.most_rows);
    header[kWideRows] = rows;
    header[kWideEntry] = entry;
    header[kWideSlot] = entries[entry].slot;
    header[kWideParity] = entries[entry].parity;
    header[kWideLast] = uint(rows == left);
}
