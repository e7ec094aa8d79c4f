#version 450
// How fast memory is read: every invocation adds up words of a buffer that is larger than the caches, and leaves its sum
// for the host to compare. A workgroup reads one stretch of the buffer, neighbours neighbouring vec4s; four loads are on
// their way at once.
#extension GL_GOOGLE_include_directive : require
#include "lib/interface.h"
#include "lib/params.glsl"
layout(local_size_x_id = kSpecLocalSize) in;
PARAMS(RooflineReadParams);
#ifdef ADDRESS
// As weights are read there (lib/lane_loads.glsl): by address, and all lanes from the same places: the workgroup
// is one subgroup. The first lane has the sum.
#extension GL_EXT_buffer_reference : require
#extension GL_EXT_buffer_reference_uvec2 : require
layout(buffer_reference, std430, buffer_reference_align = 16) readonly buffer Data { uvec4 data[]; };
uvec4 read(uint at) {
    // The loop's body is run once more when it has ended.
    at = min(at, (gl_NumWorkGroups.x * p.turns * 4u - 1u) * gl_WorkGroupSize.x);
    uvec4 sum = uvec4(0u);
    for (uint i = 0u; i < gl_WorkGroupSize.x; ++i) sum += Data(uvec2(weights_low, weights_high)).data[at + i];
    return sum;
}
#define FIRST 0u
#define SUM_OF(sum) (gl_LocalInvocationID.x == 0u ? (sum) : 0u)
#else
layout(set = 0, binding = kRooflineReadData) readonly buffer Data { uvec4 data[]; };
#define read(at) data[at]
#define FIRST gl_LocalInvocationID.x
#define SUM_OF(sum) (sum)
#endif
layout(set = 0, binding = kRooflineReadSums) writeonly buffer Sums { uint sums[]; }; // [invocations]

void main() {
    const uint size = gl_WorkGroupSize.x;
    uint at = gl_WorkGroupID.x * p.turns * 4u * size + FIRST;
    uvec4 a = uvec4(0u), b = uvec4(0u), c = uvec4(0u), d = uvec4(0u);
    for (uint i = 0u; i < p.turns; ++i, at += 4u * size) {
        a += read(at);
        b += read(at + size);
        c += read(at + 2u * size);
        d += read(at + 3u * size);
    }
    a += b + c + d;
    sums[p.sums_at + gl_GlobalInvocationID.x] = SUM_OF(a.x + a.y + a.z + a.w);
}
