#version 450
// How fast matrices of float16 are multiplied and added up in float32 (VK_KHR_cooperative_matrix), in the shape that matmul uses:
// four chains a subgroup, which hide each other's latency, in registers. Every element grows by the same in each turn; the host
// compares the sums of the four.
#extension GL_GOOGLE_include_directive : require
#extension GL_EXT_shader_explicit_arithmetic_types_float16 : require
#extension GL_KHR_shader_subgroup_basic : require
#extension GL_KHR_memory_scope_semantics : require
#extension GL_KHR_cooperative_matrix : require
#include "lib/interface.h"
layout(local_size_x_id = kSpecLocalSize) in;
layout(constant_id = kSpecMatrixRows) const uint kMatrixRows = 16u;
layout(constant_id = kSpecMatrixTokens) const uint kMatrixTokens = 16u;
layout(constant_id = kSpecMatrixDepth) const uint kMatrixDepth = 16u;
layout(push_constant) uniform Params { RooflineFmaParams p; };
layout(set = 0, binding = kRooflineFmaSums) writeonly buffer Sums { float sums[]; }; // [subgroups, M, N]

#define SUM_MATRIX coopmat<float, gl_ScopeSubgroup, kMatrixRows, kMatrixTokens, gl_MatrixUseAccumulator>

void main() {
    coopmat<float16_t, gl_ScopeSubgroup, kMatrixRows, kMatrixDepth, gl_MatrixUseA> weights =
        coopmat<float16_t, gl_ScopeSubgroup, kMatrixRows, kMatrixDepth, gl_MatrixUseA>(float16_t(p.factor));
    coopmat<float16_t, gl_ScopeSubgroup, kMatrixDepth, kMatrixTokens, gl_MatrixUseB> inputs =
        coopmat<float16_t, gl_ScopeSubgroup, kMatrixDepth, kMatrixTokens, gl_MatrixUseB>(float16_t(p.addend));
    SUM_MATRIX a = SUM_MATRIX(0.0), b = SUM_MATRIX(1.0), c = SUM_MATRIX(2.0), d = SUM_MATRIX(3.0);
    for (uint i = 0u; i < p.turns; ++i) {
        a = coopMatMulAdd(weights, inputs, a);
        b = coopMatMulAdd(weights, inputs, b);
        c = coopMatMulAdd(weights, inputs, c);
        d = coopMatMulAdd(weights, inputs, d);
    }
    uint subgroup = gl_WorkGroupID.x * gl_NumSubgroups + gl_SubgroupID;
    coopMatStore(a + b + c + d, sums, subgroup * kMatrixRows * kMatrixTokens, kMatrixTokens, gl_CooperativeMatrixLayoutRowMajor);
}
