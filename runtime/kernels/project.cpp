#include "runtime/kernels/segments.h"

#include "runtime/kernels/places.h"
#include "shaders/lib/interface.h"

namespace ff::kernels {

Result<std::vector<Launch>> project(const StepBuffers &step, const ProjectArguments &a) {
    std::vector<Segment> segments;
    for (const ProjectSegment &segment : a.segments)
        segments.push_back(
            {segment.matrix, at16(step.scratch, segment.input.view), segment.activation, segment.result});
    const std::uint32_t groups = segments.front().matrix->groups();
    FF_TRY_ASSIGN(std::vector<SegmentedLaunch> parts, segmented_launches(step, *a.variant, a.layer, segments, false));
    std::vector<Launch> launches;
    for (SegmentedLaunch &part : parts) {
        part.launch.buffers = {part.weights, step.parameters->view(), step.scratch};
        part.launch.set_params(shader::ProjectParams{.groups = groups, .segments_at = part.segments_at});
        for (const ProjectSegment &segment : a.segments)
            part.launch.uses.push_back({segment.input.name, segment.input.view, gpu::Access::read});
        launches.push_back(std::move(part.launch));
    }
    return launches;
}

} // namespace ff::kernels
