#include "runtime/kernels/launches.h"
#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "shaders/lib/interface.h"

#include <numeric>

namespace ff::kernels {

Result<std::vector<Launch>> mix_project(const StepBuffers &step, const MixProjectArguments &a) {
    std::vector<const Matrix *> matrices;
    std::uint32_t rows = 0;
    for (const MixSegment &segment : a.segments) {
        matrices.push_back(segment.matrix);
        rows += segment.matrix->rows;
    }
    const Matrix &shape = *matrices.front();
    const std::uint32_t groups = shape.groups();
    const MatvecTuning tuning = tune_matvec(*step.traits, *a.variant, rows, groups, true);

    std::vector<Launch> launches;
    for (const SegmentLaunch &packed : pack_segments(matrices, *step.traits)) {
        Launch launch;
        launch.variant = a.variant;
        launch.layer = a.layer;
        launch.constants = constants_of(tuning);
        launch.buffers = {packed.binding, step.parameters->view(), step.scratch, a.state.view};
        launch.uses = {
            {"step", step.header(), gpu::Access::read},
            {a.x.name, a.x.view, gpu::Access::read},
            {a.norm_name, step.parameters->part(a.norm_at, 2 * padded_bytes(shape.columns)), gpu::Access::read}};

        std::vector<std::uint32_t> table;
        std::uint32_t end_group = 0;
        for (const SegmentPart &part : packed.parts) {
            const MixSegment &segment = a.segments[part.segment];
            end_group += (part.rows + tuning.group_rows - 1) / tuning.group_rows;
            const std::uint32_t result = at_float(step.scratch, segment.result.view) + part.first_row;
            table.insert(table.end(),
                         {end_group, static_cast<std::uint32_t>(part.offset / group_bytes(shape.type)), part.rows,
                          result, segment.mix_at, static_cast<std::uint32_t>(segment.activation), 0, 0});
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

        const bool writes_kept = launches.empty();
        launch.set_params(shader::MixProjectParams{
            .width = shape.columns,
            .groups = groups,
            .x_at = at16(step.scratch, a.x.view),
            .norm_at = a.norm_at,
            .segments_at = segments_at,
            .kept_at = static_cast<std::uint32_t>(a.kept_offset / 16),
            .slot_stride = static_cast<std::uint32_t>(a.state.slot_bytes / 16),
            .writes_kept = writes_kept ? 1U : 0U,
        });
        // Which slot and copy is known on the device alone: the whole layer's state counts as touched.
        launch.uses.push_back({a.state.name + "." + a.kept_name, a.state.view,
                               writes_kept ? gpu::Access::read_write : gpu::Access::read});
        launches.push_back(std::move(launch));
    }
    if (launches.size() > 1) {
        // They write different rows, but synchronization validation sees bindings: let each claim every result.
        for (Launch &launch : launches)
            for (const MixSegment &segment : a.segments)
                launch.uses.push_back({segment.result.name, segment.result.view, gpu::Access::write});
    }
    return launches;
}

} // namespace ff::kernels
