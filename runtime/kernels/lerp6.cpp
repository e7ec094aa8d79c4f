#include "runtime/kernels/launches.h"
#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "shaders/lib/interface.h"

#include <fmt/format.h>

namespace ff::kernels {

Result<Launch> lerp6(const StepBuffers &step, const Lerp6Arguments &a) {
    const std::vector<MatrixPart> parts = bindable_parts(*a.up, *step.traits);
    if (parts.size() != 1)
        return Error{Status::unsupported,
                     fmt::format("{}: {} bytes, this device binds {} at most", a.up->name,
                                 a.up->rows * a.up->row_bytes(), step.traits->max_storage_buffer_range)};
    const std::uint32_t width = a.up->rows / 5, local_size = single_workgroup_size(*step.traits);
    Launch launch;
    launch.variant = a.variant;
    launch.layer = a.layer;
    launch.constants = {{shader::kSpecLocalSize, local_size}};
    launch.groups = {(width + local_size - 1) / local_size, 5, 1};
    launch.buffers = {parts.front().view, step.parameters->view(), step.scratch, a.state.view};
    launch.set_params(shader::Lerp6Params{
        .width = width,
        .groups = groups_for(width),
        .x_at = at16(step.scratch, a.x.view),
        .norm_at = a.norm_at,
        .mixes_at = a.mixes_at,
        .low_at = at16(step.scratch, a.low[0].view),
        .low_stride = at_float(step.scratch, a.low[1].view) - at_float(step.scratch, a.low[0].view),
        .rank = a.up->groups(),
        .mixed_at = at16(step.scratch, a.mixed[0].view),
        .mixed_stride = at16(step.scratch, a.mixed[1].view) - at16(step.scratch, a.mixed[0].view),
        .kept_at = static_cast<std::uint32_t>(a.kept_offset / 16),
        .slot_stride = static_cast<std::uint32_t>(a.state.slot_bytes / 16),
    });
    launch.bytes = a.up->rows * a.up->row_bytes();
    launch.uses = {{"step", step.header(), gpu::Access::read},
                   {a.x.name, a.x.view, gpu::Access::read},
                   {fmt::format("blocks.{}.ln1", a.layer), step.parameters->part(a.norm_at, 2 * padded_bytes(width)),
                    gpu::Access::read},
                   {fmt::format("blocks.{}.att.time_maa", a.layer),
                    step.parameters->part(a.mixes_at, 5 * padded_bytes(width)), gpu::Access::read},
                   {a.up->name, parts.front().view, gpu::Access::read},
                   {a.state.name + ".att_x", a.state.view, gpu::Access::read}};
    for (std::size_t i = 0; i < 5; ++i) {
        launch.uses.push_back({a.low[i].name, a.low[i].view, gpu::Access::read});
        launch.uses.push_back({a.mixed[i].name, a.mixed[i].view, gpu::Access::write});
    }
    return launch;
}

} // namespace ff::kernels
