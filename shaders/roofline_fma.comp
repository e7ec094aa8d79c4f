#version 450
// How fast float32 is multiplied and added: eight chains an invocation, which hide each other's latency, in registers.
// Every chain goes to addend / (1 - factor), whatever it began with; the host compares the sum of the eight.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
layout(local_size_x_id = kSpecLocalSize) in;
layout(push_constant) uniform Params { RooflineFmaParams p; };
layout(set = 0, binding = kRooflineFmaSums) writeonly buffer Sums { float sums[]; }; // [invocations]

void main() {
    vec4 a = vec4(0.0, 1.0, 2.0, 3.0) + float(gl_LocalInvocationID.x), b = a + 4.0;
    for (uint i = 0u; i < p.turns; ++i) {
        a = a * p.factor + p.addend;
        b = b * p.factor + p.addend;
        a = a * p.factor + p.addend;
        b = b * p.factor + p.addend;
        a = a * p.factor + p.addend;
        b = b * p.factor + p.addend;
        a = a * p.factor + p.addend;
        b = b * p.factor + p.addend;
    }
    a += b;
    sums[gl_GlobalInvocationID.x] = a.x + a.y + a.z + a.w;
}
