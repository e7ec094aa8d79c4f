// The segment tables of kernels that multiply several matrices in one launch (mix_project, project).
#pragma once

#include "runtime/kernels/launches.h"
#include "runtime/kernels/tuning.h"

namespace ff::kernels {

struct Segment {
    const Matrix *matrix;
    std::uint32_t input; // what the kernel finds the input by: a mix in parameters, or a vector in scratch
    ActivationKind activation;
    Activation result;
};

// Segments that one launch can take: of one block format and plain ones, of 16 bits and float32, or of one plain type alone.
struct SegmentBatch {
    WeightType type;
    std::vector<std::size_t> segments; // which of those given
};
// `f32_beside`: whether float32 is taken beside 16 bits.
std::vector<SegmentBatch> batches_of(std::span<const Matrix *const> matrices, bool f32_beside = true);
// The constant that says which plain type there is beside the batch's, where a variant may have any.
void add_plain_type(const SegmentBatch &batch, std::span<const Matrix *const> matrices, std::vector<gpu::SpecConstant> &constants);

// One launch for each binding the matrices need, with variant, constants, groups, bytes and the uses of matrices and
// results set; `segments_at` is the place of its table in the parameter block. Plain matrices ride along with the first
// block format among their neighbours; matrices of further block formats need launches of their own.
struct SegmentedLaunch {
    Launch launch;
    gpu::BufferView weights;
    std::uint32_t segments_at;
};
// `variant` is used for matrices of its type; other types take the kernel's variant for these traits.
Result<std::vector<SegmentedLaunch>> segmented_launches(const StepBuffers &step, const Variant &variant, std::int32_t layer,
                                                        std::span<const Segment> segments, bool prologue);

} // namespace ff::kernels
