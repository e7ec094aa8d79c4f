#version 450
// out[i] = a[i] + b[i] * factor + bias: a launch small enough to check by hand.
layout(constant_id = 7) const uint kFactor = 1u;
layout(local_size_x_id = 0) in;
layout(push_constant) uniform Params {
    uint count;
    uint bias;
};
layout(set = 0, binding = 0) readonly buffer A { uint a[]; };
layout(set = 0, binding = 1) readonly buffer B { uint b[]; };
layout(set = 0, binding = 2) writeonly buffer Out { uint y[]; };

void main() {
    const uint i = gl_GlobalInvocationID.x;
    if (i < count) y[i] = a[i] + b[i] * kFactor + bias;
}
