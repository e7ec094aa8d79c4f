// Numbers a kernel runs with, chosen from traits and shape alone: by a table, whose entries say why, or as they were measured
// on the device (DeviceTraits::tuned), where that is one of the candidates the table allows.
#pragma once

#include "runtime/kernels/matrix.h"

namespace ff::kernels {

struct MatvecTuning {
    std::uint32_t local_size;   // invocations of a workgroup
    std::uint32_t lanes;        // of a team, where teams are not subgroups
    std::uint32_t rows;         // a team accumulates at once
    std::uint32_t unroll = 1;     // groups of a row that a lane has under way, a team apart
    std::uint32_t neighbours = 1; // times so many next to each other, which a wide load may fetch
    std::uint32_t group_rows;   // rows of a workgroup
    std::uint32_t stage_floats; // shared memory for the input; 0: recomputed where it is read
    std::uint32_t uniform_lanes = 0; // shaders/lib/lane_loads.glsl; 0: each lane loads its own
    std::uint32_t subgroup_size = 0; // required of the pipeline; 0: the driver's choice
    TuningOrigin origin = {};
};

// Whether a device that multiplies four bytes by four in one instruction gains by it in this kernel.
bool integer_dot_pays(const gpu::DeviceTraits &traits, std::string_view kernel);

// `prologue`: the input costs more than a read (norms, token shift, WKV), so it is staged where it fits; so is one of which
// integers are made.
MatvecTuning tune_matvec(const gpu::DeviceTraits &traits, const Variant &variant, std::uint32_t rows,
                         std::uint32_t groups, bool prologue);
std::vector<gpu::SpecConstant> constants_of(const MatvecTuning &tuning);

struct MatmulTuning {
    std::uint32_t local_size;
    std::uint32_t tile_rows, tile_tokens;     // of a workgroup
    std::uint32_t thread_rows, thread_tokens; // quads of an invocation
    TuningOrigin origin = {};
};
MatmulTuning tune_matmul(const gpu::DeviceTraits &traits, const Variant &variant, std::uint32_t tokens);
std::vector<gpu::SpecConstant> constants_of(const MatmulTuning &tuning);

// matmul by cooperative matrices (shaders/matmul_coopmat.comp); nothing where the device has none that fit.
struct CoopmatTuning {
    std::uint32_t local_size;
    std::uint32_t tile_rows, tile_tokens;         // of a workgroup
    std::uint32_t subgroup_size;                  // required of the pipeline, where the device has more than one
    std::uint32_t subgroup_rows, subgroup_tokens; // of the tile
    gpu::MatrixShape matrix;
};
constexpr std::uint32_t kMostTileTokens = 64;
std::optional<CoopmatTuning> tune_coopmat(const gpu::DeviceTraits &traits, std::uint32_t tokens);
std::vector<gpu::SpecConstant> constants_of(const CoopmatTuning &tuning);

// matmul_few, for steps of up to kFewTokens.
constexpr std::uint32_t kFewTokens = 8;
struct FewTuning {
    std::uint32_t local_size;
    std::uint32_t lanes, rows, group_rows; // as in MatvecTuning
    std::uint32_t tokens;                  // of a workgroup
    std::uint32_t uniform_lanes = 0;       // as in MatvecTuning
    std::uint32_t subgroup_size = 0;       // likewise
};
FewTuning tune_few(const gpu::DeviceTraits &traits, const Variant &variant, std::span<const Matrix *const> matrices,
                   std::uint32_t tokens);
std::vector<gpu::SpecConstant> constants_of(const FewTuning &tuning);

// sparse_value, for steps of up to kFewTokens.
struct SparseTuning {
    bool tiled = false;        // zeros are multiplied like the rest, by matmul: measured to be faster for so many tokens
    std::uint32_t local_size;
    std::uint32_t lanes;       // of a team, 8 outputs each
    std::uint32_t input_words; // 32 inputs each
    std::uint32_t tokens;      // of a workgroup
    std::uint32_t lane_groups = 1; // groups of 8 outputs of a lane
    std::uint32_t uniform_lanes = 0; // as in MatvecTuning
    TuningOrigin origin = {};
};
SparseTuning tune_sparse(const gpu::DeviceTraits &traits, const Variant &variant, std::uint32_t inputs,
                         std::uint32_t outputs, std::uint32_t tokens);
std::vector<gpu::SpecConstant> constants_of(const SparseTuning &tuning);

struct WkvTuning {
    std::uint32_t local_size, lanes;
};
// Fails with unsupported where even one lane a row does not fit into a workgroup.
Result<WkvTuning> tune_wkv(const gpu::DeviceTraits &traits, std::uint32_t head_size);

// Tokens of a prompt that a step reads at most.
std::uint32_t most_prompt_rows(const gpu::DeviceTraits &traits);

// For kernels of one workgroup that walk a vector.
std::uint32_t single_workgroup_size(const gpu::DeviceTraits &traits);

} // namespace ff::kernels
