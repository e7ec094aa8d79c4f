#include "runtime/kernels/launches.h"
#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "shaders/lib/interface.h"

namespace ff::kernels {

std::vector<Launch> embed(const StepBuffers &step, const EmbedArguments &a) {
    std::vector<Launch> launches;
    for (const MatrixPart &part : bindable_parts(*a.table, *step.traits)) {
        Launch launch;
        launch.variant = a.variant;
        launch.constants = {{shader::kSpecLocalSize, single_workgroup_size(*step.traits)}};
        launch.groups[0] = step.rows;
        launch.buffers = {part.view, step.parameters->view(), step.scratch, a.control};
        launch.set_params(shader::EmbedParams{
            .width = a.table->columns,
            .groups = a.table->groups(),
            .first_row = part.first_row,
            .rows = part.rows,
            .x_at = at16(step.scratch, a.x.view),
            .norm_at = a.norm_at,
        });
        launch.uses = {
            {a.table->name, part.view, gpu::Access::read},
            {"blocks.0.ln0", step.parameters->part(a.norm_at, 2 * padded_bytes(a.table->columns)), gpu::Access::read},
            {"control", a.control, gpu::Access::read},
            {"step", step.header(), step.rows == 1 ? gpu::Access::write : gpu::Access::read_write},
            {a.x.name, a.x.view, gpu::Access::write}};
        launch.bytes = step.rows * a.table->row_bytes();
        launches.push_back(std::move(launch));
    }
    return launches;
}

} // namespace ff::kernels
