#include "runtime/kernels/launches.h"
#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "shaders/lib/interface.h"

#include <fmt/format.h>

namespace ff::kernels {

std::vector<Launch> deep_embed(const StepBuffers &step, const DeepEmbedArguments &a) {
    std::vector<Launch> launches;
    const std::uint32_t local_size = single_workgroup_size(*step.traits);
    const std::uint32_t stride = 2 * groups_for(a.width);
    for (const MatrixPart &part : bindable_parts(*a.table, *step.traits)) {
        Launch launch;
        launch.variant = a.variant;
        launch.layer = a.layer;
        launch.constants = {{shader::kSpecLocalSize, local_size}};
        launch.groups[0] = (a.width + local_size - 1) / local_size;
        launch.buffers = {part.view, step.parameters->view(), step.scratch};
        launch.set_params(shader::DeepEmbedParams{
            .first_row = part.first_row,
            .rows = part.rows,
            .rank = a.rank,
            .low_at = at16(step.scratch, a.low.view),
            .matrix_at = at16(step.scratch, a.matrix.view),
            .up_at = a.up_at,
            .up_stride = stride,
            .bias_at = a.bias_at,
            .h_at = at16(step.scratch, a.h.view),
            .width = a.width,
        });
        launch.bytes = a.table->row_bytes() + a.rank * padded_bytes(a.width);
        launch.uses = {{"step", step.header(), gpu::Access::read},
                       {a.table->name, part.view, gpu::Access::read},
                       {fmt::format("blocks.{}.ffn.s2", a.layer),
                        step.parameters->part(a.up_at, a.rank * padded_bytes(a.width)), gpu::Access::read},
                       {fmt::format("blocks.{}.ffn.s0", a.layer),
                        step.parameters->part(a.bias_at, padded_bytes(a.width)), gpu::Access::read},
                       {a.low.name, a.low.view, gpu::Access::read},
                       {a.matrix.name, a.matrix.view, gpu::Access::read},
                       {a.h.name, a.h.view, gpu::Access::read_write}};
        launches.push_back(std::move(launch));
    }
    return launches;
}

} // namespace ff::kernels
