#include "runtime/kernels/segments.h"

#include "runtime/kernels/places.h"
#include "shaders/lib/interface.h"

namespace ff::kernels {

Result<std::vector<Launch>> mix_project(const StepBuffers &step, const MixProjectArguments &a) {
    std::vector<Segment> segments;
    for (const MixSegment &segment : a.segments)
        segments.push_back({segment.matrix, segment.mix_at, segment.activation, segment.result});
    const Matrix &shape = *segments.front().matrix;
    const std::uint32_t groups = shape.groups();
    FF_TRY_ASSIGN(std::vector<SegmentedLaunch> parts, segmented_launches(step, *a.variant, a.layer, segments, true));

    std::vector<Launch> launches;
    for (SegmentedLaunch &part : parts) {
        Launch &launch = part.launch;
        const bool writes_kept = launches.empty();
        launch.buffers = {part.weights, step.parameters->view(), step.scratch, a.state.view};
        launch.set_params(shader::MixProjectParams{
            .width = shape.columns,
            .groups = groups,
            .x_at = at16(step.scratch, a.x.view),
            .norm_at = a.norm_at,
            .segments_at = part.segments_at,
            .kept_at = static_cast<std::uint32_t>(a.kept_offset / 16),
            .slot_stride = static_cast<std::uint32_t>(a.state.slot_bytes / 16),
            .writes_kept = writes_kept ? 1U : 0U,
        });
        launch.uses.push_back({a.x.name, a.x.view, gpu::Access::read});
        launch.uses.push_back(
            {a.norm_name, step.parameters->part(a.norm_at, 2 * padded_bytes(shape.columns)), gpu::Access::read});
        // Which slot and copy is known on the device alone: the whole layer's state counts as touched.
        launch.uses.push_back({a.state.name + "." + a.kept_name, a.state.view,
                               writes_kept ? gpu::Access::read_write : gpu::Access::read});
        launches.push_back(std::move(launch));
    }
    return launches;
}

} // namespace ff::kernels
