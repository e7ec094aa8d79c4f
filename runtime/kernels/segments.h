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

// One launch for each binding the matrices need, with weights, groups, bytes and the uses of matrices and results set;
// `segments_at` is the place of its table in the parameter block.
struct SegmentedLaunch {
    Launch launch;
    gpu::BufferView weights;
    std::uint32_t segments_at;
};
Result<std::vector<SegmentedLaunch>> segmented_launches(const StepBuffers &step, const Variant &variant,
                                                        std::int32_t layer, std::span<const Segment> segments,
                                                        const MatvecTuning &tuning);

std::uint32_t total_rows(std::span<const Segment> segments);

} // namespace ff::kernels
