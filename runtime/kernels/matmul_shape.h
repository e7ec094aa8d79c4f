// Which product a step with `tokens` rows gets, and what its workgroups have.
#pragma once

#include "runtime/kernels/step.h"

namespace ff::kernels {

struct MatmulShape {
    const Variant *variant;
    std::uint32_t rows, tokens; // of a workgroup
    std::vector<gpu::SpecConstant> constants;
    std::uint32_t subgroup_size = 0; // required; 0: any
    TuningOrigin origin = {};
};

// Whether a product is matmul_few's: of few tokens, or where a denied variant leaves no choice.
bool multiplies_as_few(const gpu::DeviceTraits &traits, WeightType type, std::uint32_t tokens);
MatmulShape matmul_few_shape(const StepBuffers &step, WeightType type, std::span<const Matrix *const> matrices,
                             std::uint32_t tokens);
MatmulShape matmul_tile_shape(const StepBuffers &step, WeightType type, std::uint32_t tokens);

} // namespace ff::kernels
