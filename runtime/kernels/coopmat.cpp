#include "runtime/kernels/tuning.h"

#include "shaders/lib/interface.h"

#include <algorithm>

namespace ff::kernels {
namespace {

constexpr std::uint32_t kTileRows = 64, kDepth = shader::kGroupElements * shader::kTileGroups;

// Tiles of weights and inputs, each in two parts of float16 at most, with 16 bytes behind each row; and a matrix of
// float32 of each subgroup.
std::uint64_t shared_bytes(const CoopmatTuning &tuning) {
    const std::uint64_t subgroups = tuning.local_size / tuning.subgroup_size;
    return std::uint64_t{2} * (tuning.tile_rows + tuning.tile_tokens) * (2 * kDepth + 16) +
           4 * subgroups * tuning.matrix.rows * tuning.matrix.columns + 16;
}

// Whether the part of a subgroup and the depth of a tile are made of whole matrices.
bool fits(const gpu::MatrixShape &shape, const CoopmatTuning &tuning) {
    return shape.rows != 0 && shape.columns != 0 && shape.depth != 0 && tuning.subgroup_rows % shape.rows == 0 &&
           tuning.subgroup_tokens % shape.columns == 0 && kDepth % shape.depth == 0 && shape.depth % 4 == 0;
}

} // namespace

std::optional<CoopmatTuning> tune_coopmat(const gpu::DeviceTraits &traits, std::uint32_t tokens) {
    if (!traits.float16 || (!traits.subgroup_size_control && !traits.subgroup_size_fixed)) return std::nullopt;
    CoopmatTuning tuning{};
    tuning.tile_rows = kTileRows;
    tuning.tile_tokens = tokens <= 32 ? 32 : kMostTileTokens;
    // The least that may be asked for is what matrix units are made for: 16 lanes on Intel's Xe2, where compilers
    // choose 32 by themselves, 32 on AMD and NVIDIA.
    tuning.subgroup_size = traits.subgroup_size_min;
    // 32 sums an invocation, and as many for the rests, let each loaded matrix serve twice; narrow subgroups, whose
    // registers are Intel's, spill them and have half as many (Mesa 26.2).
    switch (tuning.subgroup_size) {
    case 8:
        tuning.subgroup_rows = 16, tuning.subgroup_tokens = 8;
        break;
    case 16:
        tuning.subgroup_rows = tuning.subgroup_tokens = 16;
        break;
    case 32:
        tuning.subgroup_rows = tuning.subgroup_tokens = 32;
        break;
    case 64:
        tuning.subgroup_rows = 64, tuning.subgroup_tokens = 32;
        break;
    default:
        return std::nullopt;
    }
    tuning.local_size =
        tuning.tile_rows / tuning.subgroup_rows * (tuning.tile_tokens / tuning.subgroup_tokens) * tuning.subgroup_size;
    // The largest that fits: the compiler knows best how to put it together.
    const auto size = [](const gpu::MatrixShape &shape) { return shape.rows * shape.columns * shape.depth; };
    for (const gpu::MatrixShape &shape : traits.matrix_shapes)
        if (fits(shape, tuning) && size(shape) > size(tuning.matrix)) tuning.matrix = shape;
    if (tuning.matrix == gpu::MatrixShape{} ||
        tuning.local_size > std::min(traits.max_workgroup_invocations, traits.max_workgroup_size_x) ||
        shared_bytes(tuning) > traits.max_shared_memory_bytes)
        return std::nullopt;
    return tuning;
}

std::vector<gpu::SpecConstant> constants_of(const CoopmatTuning &tuning) {
    return {{shader::kSpecLocalSize, tuning.local_size},
            {shader::kSpecTileRows, tuning.tile_rows},
            {shader::kSpecTileTokens, tuning.tile_tokens},
            {shader::kSpecSubgroupRows, tuning.subgroup_rows},
            {shader::kSpecSubgroupTokens, tuning.subgroup_tokens},
            {shader::kSpecMatrixRows, tuning.matrix.rows},
            {shader::kSpecMatrixTokens, tuning.matrix.columns},
            {shader::kSpecMatrixDepth, tuning.matrix.depth}};
}

} // namespace ff::kernels
