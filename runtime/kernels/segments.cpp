#include "runtime/kernels/segments.h"

#include "runtime/kernels/places.h"
#include "shaders/lib/interface.h"

#include <algorithm>

namespace ff::kernels {
namespace {

// Segments that one launch can take: of one block format and plain ones, or plain ones of one type alone.
struct Batch {
    WeightType type;
    std::vector<Segment> segments;
};

std::vector<Batch> batches_of(std::span<const Segment> segments) {
    std::vector<Batch> batches;
    const auto put = [&](const Segment &segment) {
        const auto same = std::find_if(batches.begin(), batches.end(),
                                       [&](const Batch &batch) { return batch.type == segment.matrix->type; });
        if (same != batches.end()) same->segments.push_back(segment);
        else batches.push_back({segment.matrix->type, {segment}});
    };
    for (const Segment &segment : segments)
        if (is_block(segment.matrix->type)) put(segment);
    const bool any_block = !batches.empty();
    for (const Segment &segment : segments) {
        if (is_block(segment.matrix->type)) continue;
        if (any_block) batches.front().segments.push_back(segment);
        else put(segment);
    }
    return batches;
}

std::uint32_t plain_type(const Batch &batch) {
    for (const Segment &segment : batch.segments) switch (segment.matrix->type) {
        case WeightType::f32: return shader::kPlainF32;
        case WeightType::bf16: return shader::kPlainBf16;
        default: break;
        }
    return shader::kPlainF16;
}

Result<void> append_launches(const StepBuffers &step, const Variant &variant, std::int32_t layer, const Batch &batch,
                             bool prologue, std::vector<SegmentedLaunch> &launches) {
    std::vector<const Matrix *> matrices;
    std::uint32_t rows = 0;
    for (const Segment &segment : batch.segments) {
        matrices.push_back(segment.matrix);
        rows += segment.matrix->rows;
    }
    const MatvecTuning tuning = tune_matvec(*step.traits, variant, rows, matrices.front()->groups(), prologue);
    for (const SegmentLaunch &packed : pack_segments(matrices, *step.traits)) {
        Launch launch;
        launch.variant = &variant;
        launch.layer = layer;
        launch.constants = constants_of(tuning);
        if (is_block(batch.type)) launch.constants.push_back({shader::kSpecPlainType, plain_type(batch)});
        launch.uses = {{"step", step.header(), gpu::Access::read}};
        std::vector<std::uint32_t> table;
        std::uint32_t end_group = 0;
        for (const SegmentPart &part : packed.parts) {
            const Segment &segment = batch.segments[part.segment];
            const Matrix &matrix = *segment.matrix;
            const bool plain = is_block(batch.type) && !is_block(matrix.type);
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

Result<std::vector<SegmentedLaunch>> segmented_launches(const StepBuffers &step, const Variant &variant, std::int32_t layer,
                                                        std::span<const Segment> segments, bool prologue) {
    std::vector<SegmentedLaunch> launches;
    for (const Batch &batch : batches_of(segments)) {
        const bool asked = weight_type_of(variant) == batch.type;
        const Variant &own = asked ? variant : variant_for(variant.kernel, batch.type, *step.traits);
        FF_TRY(append_launches(step, own, layer, batch, prologue, launches));
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
