#include "runtime/kernels/segments.h"

#include "runtime/kernels/places.h"
#include "shaders/lib/interface.h"

namespace ff::kernels {

std::uint32_t total_rows(std::span<const Segment> segments) {
    std::uint32_t rows = 0;
    for (const Segment &segment : segments) rows += segment.matrix->rows;
    return rows;
}

Result<std::vector<SegmentedLaunch>> segmented_launches(const StepBuffers &step, const Variant &variant,
                                                        std::int32_t layer, std::span<const Segment> segments,
                                                        const MatvecTuning &tuning) {
    std::vector<const Matrix *> matrices;
    for (const Segment &segment : segments) matrices.push_back(segment.matrix);
    const Matrix &shape = *matrices.front();

    std::vector<SegmentedLaunch> launches;
    for (const SegmentLaunch &packed : pack_segments(matrices, *step.traits)) {
        Launch launch;
        launch.variant = &variant;
        launch.layer = layer;
        launch.constants = constants_of(tuning);
        launch.uses = {{"step", step.header(), gpu::Access::read}};
        std::vector<std::uint32_t> table;
        std::uint32_t end_group = 0;
        for (const SegmentPart &part : packed.parts) {
            const Segment &segment = segments[part.segment];
            end_group += (part.rows + tuning.group_rows - 1) / tuning.group_rows;
            const std::uint32_t result = at_float(step.scratch, segment.result.view) + part.first_row;
            table.insert(table.end(),
                         {end_group, static_cast<std::uint32_t>(part.offset / group_bytes(shape.type)), part.rows,
                          result, segment.input, static_cast<std::uint32_t>(segment.activation), 0, 0});
            const std::uint64_t bytes = part.rows * shape.row_bytes();
            launch.bytes += bytes;
            launch.uses.push_back({segment.matrix->name, packed.binding.slice(part.offset, bytes), gpu::Access::read});
            launch.uses.push_back(
                {segment.result.name,
                 segment.result.view.slice(std::uint64_t{4} * part.first_row, std::uint64_t{4} * part.rows),
                 gpu::Access::write});
        }
        static_assert(shader::kSegmentWords == 8);
        launch.groups[0] = end_group;
        FF_TRY_ASSIGN(const std::uint32_t segments_at, step.parameters->append(std::span<const std::uint32_t>(table)));
        launches.push_back({std::move(launch), packed.binding, segments_at});
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
