// What deep_embed.comp and wide_deep_embed.comp share: the numbers (s1^T x) E, and the gate they give a hidden unit. Each
// workgroup makes them together in shared memory; with ALONE each invocation for itself, without shared memory or a barrier.
const uint kMaxRank = 32u;
#ifdef ALONE
float turned[kMaxRank]; // (s1^T x) E
#else
shared float turned[kMaxRank];
#endif

// The eight from 8 g on. E's part of the token is row `row` of the bound weights, the rest is at `matrix`; s1^T x is at `low_at`.
void turn_group(uint row, uint groups, uint g, uint matrix, uint low_at) {
    vec4 low = vec4(0.0), high = vec4(0.0);
    for (uint i = 0u; i < p.rank; ++i) {
        vec4 e_low, e_high;
        load_weights(row * row_units(p.rank * groups), p.rank * groups, i * groups + g, e_low, e_high);
        uint at = matrix + i * p.rank + 8u * g;
        e_low += vec4(scratch[at], scratch[at + 1u], scratch[at + 2u], scratch[at + 3u]);
        e_high += vec4(scratch[at + 4u], scratch[at + 5u], scratch[at + 6u], scratch[at + 7u]);
        float x = scratch[low_at + i];
        low += x * e_low;
        high += x * e_high;
    }
    for (uint i = 0u; i < 4u; ++i) {
        turned[8u * g + i] = low[i];
        turned[8u * g + 4u + i] = high[i];
    }
}

// To be called by the whole workgroup.
void turn(uint row, uint groups, uint matrix, uint low_at) {
#ifdef ALONE
    for (uint g = 0u; g < groups; ++g) turn_group(row, groups, g, matrix, low_at);
#else
    if (gl_LocalInvocationID.x < groups) turn_group(row, groups, gl_LocalInvocationID.x, matrix, low_at);
    barrier();
#endif
}

float gate_of(uint unit) {
    float gate = parameters[4u * p.bias_at + unit];
    for (uint i = 0u; i < p.rank; ++i) gate += turned[i] * parameters[4u * (p.up_at + i * p.up_stride) + unit];
    return gate;
}
