#version 450
// x[i] = x[i] * 3 + 1 in place: twice in a row gives another result than once, so a lost launch or barrier shows.
layout(local_size_x = 32) in;
layout(set = 0, binding = 0) buffer X { uint x[]; };

void main() {
    const uint i = gl_GlobalInvocationID.x;
    if (i < x.length()) x[i] = x[i] * 3u + 1u;
}
