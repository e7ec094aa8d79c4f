#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "runtime/kernels/wide.h"
#include "shaders/lib/interface.h"

#include <fmt/format.h>

namespace ff::kernels {

std::vector<Launch> wide_deep_embed(const StepBuffers &step, const DeepEmbedArguments &a) {
    std::vector<Launch> launches;
    const auto stride = [&](const Activation &activation) {
        return static_cast<std::uint32_t>(activation.view.bytes / 16 / step.rows);
    };
    for (const MatrixPart &part : bindable_parts(*a.table, *step.traits)) {
        Launch launch;
        launch.variant = &variant_for("wide_deep_embed", a.table->type, *step.traits);
        launch.layer = a.layer;
        launch.constants = {{shader::kSpecLocalSize, single_workgroup_size(*step.traits)}};
        launch.groups[0] = step.rows;
        launch.buffers = {part.view, step.parameters->view(), step.scratch};
        launch.set_params(shader::WideDeepEmbedParams{
            .first_row = part.first_row,
            .rows = part.rows,
            .rank = a.rank,
            .low_at = at16(step.scratch, a.low.view),
            .low_stride = stride(a.low),
            .matrix_at = at16(step.scratch, a.matrix.view),
            .matrix_stride = stride(a.matrix),
            .up_at = a.up_at,
            .up_stride = 2 * groups_for(a.width),
            .bias_at = a.bias_at,
            .h_at = at16(step.scratch, a.h.view),
            .h_stride = stride(a.h),
            .width = a.width,
        });
        launch.bytes = step.rows * a.table->row_bytes() + a.rank * padded_bytes(a.width);
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
