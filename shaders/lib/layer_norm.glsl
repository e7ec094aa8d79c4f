// LayerNorm of a vector in scratch, recomputed by every workgroup that needs it: a few KB out of cache instead of a
// launch. Biased variance, eps 1e-5, two passes so that nothing cancels.
const float kLayerNormEps = 1e-5;

// mean and 1/sqrt(var + eps) of the `width` floats at scratch4[at]; those between width and whole vec4s are zero.
vec2 layer_norm_statistics(uint at, uint width) {
    uint vectors = (width + 3u) / 4u;
    vec4 sum = vec4(0.0);
    for (uint i = gl_LocalInvocationID.x; i < vectors; i += kLocalSize) sum += scratch4[at + i];
    float mean = workgroup_add(vec4(sum.x + sum.y + sum.z + sum.w, 0.0, 0.0, 0.0)).x / float(width);
    float squares = 0.0;
    for (uint i = gl_LocalInvocationID.x; i < vectors; i += kLocalSize) {
        vec4 d = scratch4[at + i] - mean;
        uint left = width - 4u * i; // floats of this vec4 that count
        squares += d.x * d.x + (left > 1u ? d.y * d.y : 0.0) + (left > 2u ? d.z * d.z : 0.0) +
                   (left > 3u ? d.w * d.w : 0.0);
    }
    return vec2(mean, inversesqrt(workgroup_add(vec4(squares, 0.0, 0.0, 0.0)).x / float(width) + kLayerNormEps));
}
