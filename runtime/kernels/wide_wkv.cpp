#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "runtime/kernels/wide.h"
#include "shaders/lib/interface.h"

#include <fmt/format.h>

namespace ff::kernels {
namespace {

// A launch of a workgroup for each head of each run, with what the versions share of it.
Result<Launch> head_launch(const StepBuffers &step, const char *kernel, std::int32_t layer, std::uint32_t heads,
                           std::uint32_t head_size, const LayerState &state) {
    FF_TRY_ASSIGN(const WkvTuning tuning, tune_wkv(*step.traits, head_size));
    Launch launch;
    launch.variant = &variant_for(kernel, *step.traits);
    launch.layer = layer;
    launch.constants = {{shader::kSpecLocalSize, tuning.local_size},
                        {shader::kSpecLanes, tuning.lanes},
                        {shader::kSpecHeadSize, head_size}};
    launch.groups = {heads, step.runs, 1};
    launch.buffers = {step.parameters->view(), step.scratch, state.view};
    launch.uses = {{"step", step.header(), gpu::Access::read},
                   {state.name + ".wkv", state.view, gpu::Access::read_write}};
    launch.bytes = std::uint64_t{8} * step.runs * heads * head_size * head_size; // the states, read and written
    return launch;
}

void reads(Launch &launch, std::initializer_list<const Activation *> inputs) {
    for (const Activation *input : inputs)
        if (input->view.bytes) launch.uses.push_back({input->name, input->view, gpu::Access::read});
}

} // namespace

Result<Launch> wide_wkv7(const StepBuffers &step, const Wkv7Arguments &a, const WideUps7 &ups) {
    FF_TRY_ASSIGN(Launch launch, head_launch(step, "wide_wkv7", a.layer, a.heads, a.head_size, a.state));
    const auto at = [&](const Activation &activation) {
        return activation.view.bytes ? at16(step.scratch, activation.view) : 0;
    };
    const bool first = ups.v.view.bytes == 0;
    launch.set_params(shader::WideWkv7Params{
        .first_layer = first ? 1U : 0U,
        .r_at = at(a.r),
        .k_at = at(a.k),
        .v_at = at(a.v),
        .v_first_at = at(a.v_first),
        .y_at = at(a.y),
        .up_w_at = at(ups.w),
        .up_a_at = at(ups.a),
        .up_v_at = at(ups.v),
        .up_g_at = at(ups.g),
        .stride = row_floats(step, a.r),
        .vectors_at = a.vectors_at,
        .vector_stride = a.vector_stride,
        .wkv_at = static_cast<std::uint32_t>(a.wkv_offset / 16),
        .slot_stride = static_cast<std::uint32_t>(a.state.slot_bytes / 16),
    });
    launch.uses.push_back({fmt::format("blocks.{}.att vectors", a.layer),
                           step.parameters->part(a.vectors_at, std::uint64_t{8} * 16 * a.vector_stride),
                           gpu::Access::read});
    launch.uses.push_back({a.v_first.name, a.v_first.view, first ? gpu::Access::write : gpu::Access::read});
    launch.uses.push_back({a.y.name, a.y.view, gpu::Access::write});
    reads(launch, {&a.r, &a.k, &a.v, &ups.w, &ups.a, &ups.v, &ups.g});
    return launch;
}

Result<Launch> wide_wkv6(const StepBuffers &step, const Wkv6Arguments &a, const Activation &up_w) {
    FF_TRY_ASSIGN(Launch launch, head_launch(step, "wide_wkv6", a.layer, a.heads, a.head_size, a.state));
    const auto at = [&](const Activation &activation) {
        return activation.view.bytes ? at16(step.scratch, activation.view) : shader::kNone;
    };
    launch.set_params(shader::WideWkv6Params{
        .r_at = at(a.r),
        .k_at = at(a.k),
        .v_at = at(a.v),
        .y_at = at(a.y),
        .gate_at = at(a.gate),
        .up_w_at = at(up_w),
        .stride = row_floats(step, a.r),
        .vectors_at = a.vectors_at,
        .vector_stride = a.vector_stride,
        .wkv_at = static_cast<std::uint32_t>(a.wkv_offset / 16),
        .slot_stride = static_cast<std::uint32_t>(a.state.slot_bytes / 16),
    });
    launch.uses.push_back({fmt::format("blocks.{}.att vectors", a.layer),
                           step.parameters->part(a.vectors_at, std::uint64_t{4} * 16 * a.vector_stride),
                           gpu::Access::read});
    launch.uses.push_back({a.y.name, a.y.view, gpu::Access::write});
    reads(launch, {&a.r, &a.k, &a.v, &a.gate, &up_w});
    return launch;
}

Launch wide_wkv4(const StepBuffers &step, const Wkv4Arguments &a, const Activation &y) {
    // 32 channels are a cache line of each row. 768 of them, an invocation each, would leave a wide GPU idle for 128 rows: eight
    // teams of 16 rows each go twice through an eighth of that.
    constexpr std::uint32_t kChannels = 32;
    const std::uint32_t width = a.output->columns;
    Launch launch;
    launch.variant = &variant_for("wide_wkv4", *step.traits);
    launch.layer = a.layer;
    launch.constants = {{shader::kSpecLocalSize, single_workgroup_size(*step.traits)}, {shader::kSpecLanes, kChannels}};
    launch.groups = {(width + kChannels - 1) / kChannels, step.runs, 1};
    launch.buffers = {step.parameters->view(), step.scratch, a.state.view};
    launch.set_params(shader::WideWkv4Params{
        .width = width,
        .r_at = at16(step.scratch, a.r.view),
        .k_at = at16(step.scratch, a.k.view),
        .v_at = at16(step.scratch, a.v.view),
        .y_at = at16(step.scratch, y.view),
        .stride = row_floats(step, a.r),
        .decay_at = a.decay_at,
        .vector_stride = 8 * groups_for(width),
        .wkv_at = static_cast<std::uint32_t>(a.wkv_offset / 16),
        .slot_stride = static_cast<std::uint32_t>(a.state.slot_bytes / 16),
    });
    launch.uses = {{"step", step.header(), gpu::Access::read},
                   {fmt::format("blocks.{}.att decay", a.layer),
                    step.parameters->part(a.decay_at, 2 * padded_bytes(width)), gpu::Access::read},
                   {a.state.name + ".wkv", a.state.view, gpu::Access::read_write},
                   {y.name, y.view, gpu::Access::write}};
    reads(launch, {&a.r, &a.k, &a.v});
    launch.bytes = std::uint64_t{24} * step.runs * width; // aa, bb, pp, read and written
    return launch;
}

} // namespace ff::kernels
