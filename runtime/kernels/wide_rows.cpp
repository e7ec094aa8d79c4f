#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "runtime/kernels/wide.h"
#include "shaders/lib/interface.h"

#include <algorithm>

namespace ff::kernels {

std::uint64_t wide_header_bytes() {
    return (std::uint64_t{4} * shader::kWideWords + 255) / 256 * 256;
}

Launch wide_begin(const StepBuffers &step, const gpu::BufferView &control) {
    Launch launch;
    launch.variant = &variant_for("wide_begin", *step.traits);
    launch.buffers = {step.scratch, control};
    launch.set_params(shader::WideBeginParams{.most_rows = step.rows});
    launch.uses = {{"control", control, gpu::Access::read}, {"step", step.header(), gpu::Access::write}};
    return launch;
}

Launch wide_mix(const StepBuffers &step, const WideMixArguments &a) {
    const bool shifts = a.state.view.bytes != 0;
    Launch launch;
    launch.variant = &variant_for("wide_mix", *step.traits);
    launch.layer = a.layer;
    launch.constants = {{shader::kSpecLocalSize, single_workgroup_size(*step.traits)}};
    launch.groups[0] = a.answers ? step.runs : step.rows;
    // Without a state the binding is there and not read.
    launch.buffers = {step.parameters->view(), step.scratch, shifts ? a.state.view : step.scratch};
    const auto stride = [&](const std::vector<Activation> &arrays) {
        return arrays.size() > 1 ? at16(step.scratch, arrays[1].view) - at16(step.scratch, arrays[0].view) : 0;
    };
    shader::WideMixParams params{
        .width = a.width,
        .groups = groups_for(a.width),
        .x_at = at16(step.scratch, a.x.view),
        .norm_at = a.norm_at,
        .kept_at = shifts ? static_cast<std::uint32_t>(a.kept_offset / 16) : shader::kNone,
        .slot_stride = static_cast<std::uint32_t>(a.state.slot_bytes / 16),
        .mixed_at = at16(step.scratch, a.mixed.front().view),
        .mixed_stride = stride(a.mixed),
        .extra_at = a.extra.empty() ? shader::kNone : at16(step.scratch, a.extra.front().view),
        .extra_stride = stride(a.extra),
        .mixes = static_cast<std::uint32_t>(a.mixes.size()),
        .writes_kept = a.writes_kept ? 1U : 0U,
        .answers = a.answers ? 1U : 0U,
        .mix_at = {},
    };
    std::copy(a.mixes.begin(), a.mixes.end(), params.mix_at);
    launch.set_params(params);
    launch.uses = {{"step", step.header(), gpu::Access::read},
                   {a.x.name, a.x.view, gpu::Access::read},
                   {a.norm_name, step.parameters->part(a.norm_at, 2 * padded_bytes(a.width)), gpu::Access::read}};
    if (shifts)
        launch.uses.push_back({a.state.name + "." + a.kept_name, a.state.view,
                               a.writes_kept ? gpu::Access::read_write : gpu::Access::read});
    for (const Activation &mixed : a.mixed) launch.uses.push_back({mixed.name, mixed.view, gpu::Access::write});
    for (const Activation &extra : a.extra) launch.uses.push_back({extra.name, extra.view, gpu::Access::read});
    return launch;
}

} // namespace ff::kernels
