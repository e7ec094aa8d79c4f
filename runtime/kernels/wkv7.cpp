#include "runtime/kernels/launches.h"
#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "shaders/lib/interface.h"

#include <fmt/format.h>

namespace ff::kernels {

Result<Launch> wkv7(const StepBuffers &step, const Wkv7Arguments &a) {
    FF_TRY_ASSIGN(const WkvTuning tuning, tune_wkv(*step.traits, a.head_size));
    Launch launch;
    launch.variant = a.variant;
    launch.layer = a.layer;
    launch.constants = {{shader::kSpecLocalSize, tuning.local_size},
                        {shader::kSpecLanes, tuning.lanes},
                        {shader::kSpecHeadSize, a.head_size}};
    launch.groups[0] = a.heads;

    // The low-rank matrices of a layer are neighbours: one binding from the first to the last.
    std::vector<const Matrix *> ups = {a.up_w, a.up_a, a.up_g};
    if (a.up_v) ups.push_back(a.up_v);
    gpu::BufferView bound = ups.front()->parts.front().view;
    std::uint64_t end = 0;
    for (const Matrix *up : ups) {
        const gpu::BufferView &part = up->parts.front().view;
        if (up->parts.size() != 1 || part.buffer != bound.buffer || up->type != a.up_w->type)
            return Error{Status::internal,
                         fmt::format("{}: low-rank matrices of a layer must be one run of one type", up->name)};
        if (part.offset < bound.offset) bound = part;
    }
    for (const Matrix *up : ups) end = std::max(end, up->parts.front().view.offset + up->parts.front().view.bytes);
    bound.bytes = end - bound.offset;
    if (bound.bytes > step.traits->max_storage_buffer_range)
        return Error{Status::unsupported,
                     fmt::format("{}: the layer's low-rank matrices are {} bytes, this device binds {} at most",
                                 a.up_w->name, bound.bytes, step.traits->max_storage_buffer_range)};
    const auto weights_at = [&](const Matrix *up) {
        return up ? static_cast<std::uint32_t>((up->parts.front().view.offset - bound.offset) / 16)
                  : 0;
    };
    const auto low_at = [&](const Activation &low) { return low.view.bytes ? at16(step.scratch, low.view) : 0; };

    launch.buffers = {bound, step.parameters->view(), step.scratch, a.state.view};
    launch.set_params(shader::Wkv7Params{
        .first_layer = a.up_v ? 0U : 1U,
        .r_at = at16(step.scratch, a.r.view),
        .k_at = at16(step.scratch, a.k.view),
        .v_at = at16(step.scratch, a.v.view),
        .v_first_at = at16(step.scratch, a.v_first.view),
        .y_at = at16(step.scratch, a.y.view),
        .low_w_at = low_at(a.low_w),
        .low_a_at = low_at(a.low_a),
        .low_v_at = low_at(a.low_v),
        .low_g_at = low_at(a.low_g),
        .up_w_at = weights_at(a.up_w),
        .up_a_at = weights_at(a.up_a),
        .up_v_at = weights_at(a.up_v),
        .up_g_at = weights_at(a.up_g),
        .rank_w = a.up_w->groups(),
        .rank_a = a.up_a->groups(),
        .rank_v = a.up_v ? a.up_v->groups() : 0,
        .rank_g = a.up_g->groups(),
        .vectors_at = a.vectors_at,
        .vector_stride = a.vector_stride,
        .wkv_at = static_cast<std::uint32_t>(a.wkv_offset / 16),
        .slot_stride = static_cast<std::uint32_t>(a.state.slot_bytes / 16),
    });

    launch.uses = {{"step", step.header(), gpu::Access::read},
                   {fmt::format("blocks.{}.att vectors", a.layer),
                    step.parameters->part(a.vectors_at, std::uint64_t{8} * 16 * a.vector_stride), gpu::Access::read},
                   {a.state.name + ".wkv", a.state.view, gpu::Access::read_write},
                   {a.v_first.name, a.v_first.view, a.up_v ? gpu::Access::read : gpu::Access::write},
                   {a.y.name, a.y.view, gpu::Access::write}};
    for (const Activation *input : {&a.r, &a.k, &a.v, &a.low_w, &a.low_a, &a.low_v, &a.low_g})
        if (input->view.bytes) launch.uses.push_back({input->name, input->view, gpu::Access::read});
    launch.bytes = std::uint64_t{8} * a.heads * a.head_size * a.head_size; // the state, read and written
    for (const Matrix *up : ups) {
        launch.uses.push_back({up->name, up->parts.front().view, gpu::Access::read});
        launch.bytes += up->rows * up->row_bytes();
    }
    return launch;
}

} // namespace ff::kernels
