#include "runtime/kernels/launches.h"
#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "shaders/lib/interface.h"

namespace ff::kernels {

std::vector<Launch> head(const StepBuffers &step, const HeadArguments &a) {
    std::vector<Launch> launches;
    const MatvecTuning tuning = tune_matvec(*step.traits, *a.variant, a.head->rows, a.head->groups(), true);
    for (const MatrixPart &part : bindable_parts(*a.head, *step.traits, a.most_bytes)) {
        Launch launch;
        launch.variant = a.variant;
        launch.constants = constants_of(tuning);
        launch.subgroup_size = tuning.subgroup_size;
        launch.tuning = tuning.origin;
        launch.groups[0] = (part.rows + tuning.group_rows - 1) / tuning.group_rows;
        launch.buffers = {part.view, step.parameters->view(), step.scratch, a.logits};
        launch.set_params(shader::HeadParams{
            .width = a.head->columns,
            .groups = a.head->groups(),
            .x_at = at16(step.scratch, a.x.view),
            .norm_at = a.norm_at,
            .rows = part.rows,
            .first_row = part.first_row,
            .vocabulary = a.head->rows,
        });
        launch.bytes = part.rows * a.head->row_bytes();
        launch.uses = {
            {"step", step.header(), gpu::Access::read},
            {a.x.name, a.x.view, gpu::Access::read},
            {"ln_out", step.parameters->part(a.norm_at, 2 * padded_bytes(a.head->columns)), gpu::Access::read},
            {a.head->name, part.view, gpu::Access::read},
            {"logits", a.logits, gpu::Access::write}};
        launches.push_back(std::move(launch));
    }
    return launches;
}

} // namespace ff::kernels
