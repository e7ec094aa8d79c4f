#include "runtime/kernels/launches.h"
#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "shaders/lib/interface.h"

#include <fmt/format.h>

namespace ff::kernels {

Result<Launch> wkv6(const StepBuffers &step, const Wkv6Arguments &a) {
    FF_TRY_ASSIGN(const WkvTuning tuning, tune_wkv(*step.traits, a.head_size));
    Launch launch;
    launch.variant = a.variant;
    launch.layer = a.layer;
    launch.constants = {{shader::kSpecLocalSize, tuning.local_size},
                        {shader::kSpecLanes, tuning.lanes},
                        {shader::kSpecHeadSize, a.head_size}};
    launch.groups[0] = a.heads;
    const bool gated = a.gate.view.bytes != 0;
    if (a.up_w) { // version 6; the decay of version 5 needs no weights
        const std::vector<MatrixPart> parts = bindable_parts(*a.up_w, *step.traits);
        if (parts.size() != 1)
            return Error{Status::unsupported,
                         fmt::format("{}: {} bytes, this device binds {} at most", a.up_w->name,
                                     a.up_w->rows * a.up_w->row_bytes(), step.traits->max_storage_buffer_range)};
        launch.buffers.push_back(parts.front().view);
        launch.uses.push_back({a.up_w->name, parts.front().view, gpu::Access::read});
        launch.uses.push_back({a.low_w.name, a.low_w.view, gpu::Access::read});
        launch.bytes += a.up_w->rows * a.up_w->row_bytes();
    }
    launch.buffers.insert(launch.buffers.end(), {step.parameters->view(), step.scratch, a.state.view});
    launch.set_params(shader::Wkv6Params{
        .r_at = at16(step.scratch, a.r.view),
        .k_at = at16(step.scratch, a.k.view),
        .v_at = at16(step.scratch, a.v.view),
        .y_at = at16(step.scratch, a.y.view),
        .gate_at = gated ? at16(step.scratch, a.gate.view) : shader::kNone,
        .vectors_at = a.vectors_at,
        .vector_stride = a.vector_stride,
        .wkv_at = static_cast<std::uint32_t>(a.wkv_offset / 16),
        .slot_stride = static_cast<std::uint32_t>(a.state.slot_bytes / 16),
        .low_w_at = a.up_w ? at16(step.scratch, a.low_w.view) : 0,
        .up_w_at = 0,
        .rank_w = a.up_w ? a.up_w->groups() : 0,
    });
    launch.uses.push_back({"step", step.header(), gpu::Access::read});
    launch.uses.push_back({fmt::format("blocks.{}.att vectors", a.layer),
                           step.parameters->part(a.vectors_at, std::uint64_t{4} * 16 * a.vector_stride),
                           gpu::Access::read});
    for (const Activation *input : {&a.r, &a.k, &a.v, &a.gate})
        if (input->view.bytes) launch.uses.push_back({input->name, input->view, gpu::Access::read});
    launch.uses.push_back({a.state.name + ".wkv", a.state.view, gpu::Access::read_write});
    launch.uses.push_back({a.y.name, a.y.view, gpu::Access::write});
    launch.bytes += std::uint64_t{8} * a.heads * a.head_size * a.head_size; // the state, read and written
    return launch;
}

} // namespace ff::kernels
