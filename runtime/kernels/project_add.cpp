#include "runtime/kernels/launches.h"
#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "shaders/lib/interface.h"

namespace ff::kernels {

std::vector<Launch> project_add(const StepBuffers &step, const ProjectAddArguments &a) {
    std::vector<Launch> launches;
    const bool gated = a.gate.view.bytes != 0;
    const MatvecTuning tuning = tune_matvec(*step.traits, *a.variant, a.matrix->rows, a.matrix->groups(), false);
    for (const MatrixPart &part : bindable_parts(*a.matrix, *step.traits)) {
        Launch launch;
        launch.variant = a.variant;
        launch.layer = a.layer;
        launch.constants = constants_of(tuning);
        launch.subgroup_size = tuning.subgroup_size;
        launch.tuning = tuning.origin;
        launch.groups[0] = (part.rows + tuning.group_rows - 1) / tuning.group_rows;
        launch.buffers = {part.view, step.scratch};
        launch.set_params(shader::ProjectAddParams{
            .groups = a.matrix->groups(),
            .rows = part.rows,
            .result = at_float(step.scratch, a.x.view) + part.first_row,
            .in_at = at16(step.scratch, a.input.view),
            .gate = gated ? at_float(step.scratch, a.gate.view) + part.first_row : shader::kNone,
        }, step.scratch);
        launch.bytes = part.rows * a.matrix->row_bytes();
        // All of x, though a part writes its own rows only: synchronization validation sees bindings, not rows.
        launch.uses = {{"step", step.header(), gpu::Access::read},
                       {a.input.name, a.input.view, gpu::Access::read},
                       {a.matrix->name, part.view, gpu::Access::read},
                       {a.x.name, a.x.view, gpu::Access::read_write}};
        if (gated) launch.uses.push_back({a.gate.name, a.gate.view, gpu::Access::read});
        launches.push_back(std::move(launch));
    }
    return launches;
}

} // namespace ff::kernels
