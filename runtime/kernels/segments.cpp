#include "runtime/kernels/segments.h"

#include "runtime/kernels/places.h"
#include "shaders/lib/interface.h"

#include <algorithm>

namespace ff::kernels {
namespace {

std::vector<const Matrix *> matrices_of(std::span<const Segment> segments) {
    std::vector<const Matrix *> matrices;
    for (const Segment &segment : segments) matrices.push_back(segment.matrix);
    return matrices;
}

Result<void> append_launches(const StepBuffers &step, const Variant &variant, std::int32_t layer,
                             std::span<const Segment> all, const SegmentBatch &batch, bool prologue,
                             std::vector<SegmentedLaunch> &launches) {
    std::vector<Segment> segments;
    for (const std::size_t segment : batch.segments) segments.push_back(all[segment]);
    const std::vector<const Matrix *> matrices = matrices_of(segments);
    std::uint32_t rows = 0;
    for (const Matrix *matrix : matrices) rows += matrix->rows;
    const MatvecTuning tuning = tune_matvec(*step.traits, variant, rows, matrices.front()->groups(), prologue);
    for (const SegmentLaunch &packed : pack_segments(matrices, *step.traits)) {
        Launch launch;
        launch.variant = &variant;
        launch.layer = layer;
        launch.constants = constants_of(tuning);
        launch.subgroup_size = tuning.subgroup_size;
        launch.tuning = tuning.origin;
        add_plain_type(batch, matrices_of(all), launch.constants);
        launch.uses = {{"step", step.header(), gpu::Access::read}};
        std::vector<std::uint32_t> table;
        std::uint32_t end_group = 0;
        for (const SegmentPart &part : packed.parts) {
            const Segment &segment = segments[part.segment];
            const Matrix &matrix = *segment.matrix;
            const bool plain = matrix.type != batch.type;
            end_group += (part.rows + tuning.group_rows - 1) / tuning.group_rows;
            const std::uint32_t result = at_float(step.scratch, segment.result.view) + part.first_row;
            table.insert(table.end(), {end_group, static_cast<std::uint32_t>(part.offset / 16), part.rows, result, segment.input,
                                       static_cast<std::uint32_t>(segment.activation), plain ? 1U : 0U, 0});
            const std::uint64_t bytes = part.rows * matrix.row_bytes();
            launch.bytes += bytes;
            launch.uses.push_back({matrix.name, packed.binding.slice(part.offset, bytes), gpu::Access::read});
            launch.uses.push_back({segment.result.name,
                                   segment.result.view.slice(std::uint64_t{4} * part.first_row, std::uint64_t{4} * part.rows),
                                   gpu::Access::write});
        }
        static_assert(shader::kSegmentWords == 8);
        launch.groups[0] = end_group;
        FF_TRY_ASSIGN(const std::uint32_t segments_at, step.parameters->append(std::span<const std::uint32_t>(table)));
        launches.push_back({std::move(launch), packed.binding, segments_at});
    }
    return {};
}

} // namespace

std::vector<SegmentBatch> batches_of(std::span<const Matrix *const> matrices, bool f32_beside) {
    // Types of the highest rank that there is have launches of their own, and the first of these takes along what is below.
    const auto rank = [&](const Matrix *matrix) {
        if (is_block(matrix->type)) return 2;
        return f32_beside && matrix->type != WeightType::f32 ? 1 : 0;
    };
    int highest = 0;
    for (const Matrix *matrix : matrices) highest = std::max(highest, rank(matrix));
    std::vector<SegmentBatch> batches;
    for (std::size_t i = 0; i < matrices.size(); ++i) {
        if (rank(matrices[i]) != highest) continue;
        const WeightType type = matrices[i]->type;
        const auto same = std::find_if(batches.begin(), batches.end(),
                                       [&](const SegmentBatch &batch) { return batch.type == type; });
        if (same != batches.end()) same->segments.push_back(i);
        else batches.push_back({type, {i}});
    }
    for (std::size_t i = 0; i < matrices.size(); ++i)
        if (rank(matrices[i]) != highest) batches.front().segments.push_back(i);
    return batches;
}

void add_plain_type(const SegmentBatch &batch, std::span<const Matrix *const> matrices,
                    std::vector<gpu::SpecConstant> &constants) {
    std::optional<WeightType> beside;
    for (const std::size_t segment : batch.segments)
        if (matrices[segment]->type != batch.type) beside = matrices[segment]->type;
    if (!is_block(batch.type) && !beside) return;
    constants.push_back({shader::kSpecPlainType, beside == WeightType::f32    ? shader::kPlainF32
                                                 : beside == WeightType::bf16 ? shader::kPlainBf16
                                                                              : shader::kPlainF16});
}

Result<std::vector<SegmentedLaunch>> segmented_launches(const StepBuffers &step, const Variant &variant, std::int32_t layer,
                                                        std::span<const Segment> segments, bool prologue) {
    std::vector<SegmentedLaunch> launches;
    const std::vector<const Matrix *> matrices = matrices_of(segments);
    for (const SegmentBatch &batch : batches_of(matrices)) {
        const bool asked = weight_type_of(variant) == batch.type;
        const Variant &own = asked ? variant : variant_for(variant.kernel, batch.type, *step.traits);
        FF_TRY(append_launches(step, own, layer, segments, batch, prologue, launches));
    }
    if (launches.size() > 1) {
        // They write different rows, but synchronization validation sees bindings: let each claim every result.
        for (SegmentedLaunch &segmented : launches)
            for (const Segment &segment : segments)
                segmented.launch.uses.push_back({segment.result.name, segment.result.view, gpu::Access::write});
    }
    return launches;
}

} // namespace ff::kernels
