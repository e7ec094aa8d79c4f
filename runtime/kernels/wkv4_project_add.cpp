#include "runtime/kernels/launches.h"
#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "shaders/lib/interface.h"

namespace ff::kernels {

std::vector<Launch> wkv4_project_add(const StepBuffers &step, const Wkv4Arguments &a) {
    std::vector<Launch> launches;
    const MatvecTuning tuning = tune_matvec(*step.traits, *a.variant, a.output->rows, a.output->groups(), true);
    for (const MatrixPart &part : bindable_parts(*a.output, *step.traits)) {
        const bool writes_state = launches.empty();
        Launch launch;
        launch.variant = a.variant;
        launch.layer = a.layer;
        launch.constants = constants_of(tuning);
        launch.subgroup_size = tuning.subgroup_size;
        launch.tuning = tuning.origin;
        launch.groups[0] = (part.rows + tuning.group_rows - 1) / tuning.group_rows;
        launch.buffers = {part.view, step.parameters->view(), step.scratch, a.state.view};
        launch.set_params(shader::Wkv4Params{
            .width = a.output->columns,
            .groups = a.output->groups(),
            .rows = part.rows,
            .result = at_float(step.scratch, a.x.view) + part.first_row,
            .r_at = at16(step.scratch, a.r.view),
            .k_at = at16(step.scratch, a.k.view),
            .v_at = at16(step.scratch, a.v.view),
            .decay_at = a.decay_at,
            .wkv_at = static_cast<std::uint32_t>(a.wkv_offset / 16),
            .slot_stride = static_cast<std::uint32_t>(a.state.slot_bytes / 16),
            .writes_state = writes_state ? 1U : 0U,
        });
        const std::uint64_t vector = padded_bytes(a.output->columns);
        launch.bytes = part.rows * a.output->row_bytes() + (writes_state ? 6 : 3) * vector;
        launch.uses = {
            {"step", step.header(), gpu::Access::read},
            {a.r.name, a.r.view, gpu::Access::read},
            {a.k.name, a.k.view, gpu::Access::read},
            {a.v.name, a.v.view, gpu::Access::read},
            {"time_decay, time_first", step.parameters->part(a.decay_at, 2 * vector), gpu::Access::read},
            {a.output->name, part.view, gpu::Access::read},
            {a.state.name + ".wkv", a.state.view, writes_state ? gpu::Access::read_write : gpu::Access::read},
            // All of x, though a part writes its own rows only: synchronization validation sees bindings, not rows.
            {a.x.name, a.x.view, gpu::Access::read_write}};
        launches.push_back(std::move(launch));
    }
    return launches;
}

} // namespace ff::kernels
