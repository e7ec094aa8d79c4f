#version 450
// How fast memory is read: every invocation adds up words of a buffer that is larger than the caches, and leaves its sum
// for the host to compare. A workgroup reads one stretch of the buffer, neighbours neighbouring vec4s; four loads are on
// their way at once.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
layout(local_size_x_id = kSpecLocalSize) in;
layout(push_constant) uniform Params { RooflineReadParams p; };
layout(set = 0, binding = kRooflineReadData) readonly buffer Data { uvec4 data[]; };
layout(set = 0, binding = kRooflineReadSums) writeonly buffer Sums { uint sums[]; }; // [invocations]

void main() {
    const uint size = gl_WorkGroupSize.x;
    uint at = gl_WorkGroupID.x * p.turns * 4u * size + gl_LocalInvocationID.x;
    uvec4 a = uvec4(0u), b = uvec4(0u), c = uvec4(0u), d = uvec4(0u);
    for (uint i = 0u; i < p.turns; ++i, at += 4u * size) {
        a += data[at];
        b += data[at + size];
        c += data[at + 2u * size];
        d += data[at + 3u * size];
    }
    a += b + c + d;
    sums[p.sums_at + gl_GlobalInvocationID.x] = a.x + a.y + a.z + a.w;
}
