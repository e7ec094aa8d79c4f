#include "runtime/engine/lane.h"

#include "runtime/gpu/upload.h"

#include <algorithm>
#include <cstddef>

namespace ff::engine {
namespace {

constexpr std::uint64_t kControlBytes = sizeof(shader::ControlHeader) + sizeof(shader::ControlEntry);
constexpr std::uint64_t kZeroRing = 64ULL << 10;
constexpr std::uint64_t kHiddenAlignment = 256; // the most that a device may ask of a binding's offset

std::uint64_t hidden_stride(const model::LoadedModel &model) {
    return (model.residual().bytes + kHiddenAlignment - 1) / kHiddenAlignment * kHiddenAlignment;
}

gpu::BufferView replaced(const gpu::BufferView &view, const gpu::BufferView &from, const gpu::BufferView &to) {
    if (view.buffer != from.buffer) return view;
    return to.slice(view.offset, std::min(view.bytes, to.bytes - view.offset));
}

} // namespace

std::uint64_t Lane::bytes(const model::LoadedModel &model, const Options &options) {
    std::uint64_t bytes = kControlBytes + model.scratch().bytes;
    if (options.reads_prompts) bytes += model.prompt_plan().scratch.bytes();
    if (options.keeps_hidden) bytes += model.description().layers * hidden_stride(model);
    return bytes;
}

Result<gpu::Buffer> Lane::zeroed(std::uint64_t bytes, std::string_view name) {
    FF_TRY_ASSIGN(gpu::Buffer buffer, gpu::Buffer::create(engine_.device(), gpu::MemoryKind::device, bytes, name));
    FF_TRY_ASSIGN(gpu::Uploader uploader, gpu::Uploader::create(engine_.device(), kZeroRing));
    FF_TRY(uploader.zero(buffer.view()));
    FF_TRY(uploader.finish());
    return buffer;
}

std::vector<kernels::Launch> Lane::moved(std::span<const kernels::Launch> launches, const gpu::BufferView &from,
                                         const gpu::BufferView &to) const {
    std::vector<kernels::Launch> ours(launches.begin(), launches.end());
    const auto place = [&](gpu::BufferView &view) {
        view = replaced(replaced(view, from, to), model_.control(), control_.view());
    };
    for (kernels::Launch &launch : ours) {
        for (gpu::BufferView &view : launch.buffers) place(view);
        for (kernels::NamedUse &use : launch.uses) place(use.view);
    }
    return ours;
}

Result<std::unique_ptr<Lane>> Lane::create(Engine &engine, const model::LoadedModel &model, const Options &options) {
    const std::shared_ptr<gpu::Device> &device = engine.device();
    FF_TRY(device->check_memory("what a session runs in slices in", bytes(model, options)));
    FF_TRY_ASSIGN(std::shared_ptr<gpu::RecordingPool> pool, gpu::create_recording_pool(device, "slices"));
    std::unique_ptr<Lane> lane(new Lane(engine, model, std::move(pool)));
    lane->options_.keeps_hidden = options.keeps_hidden;
    FF_TRY_ASSIGN(lane->control_,
                  gpu::Buffer::create(device, gpu::MemoryKind::shared, kControlBytes, "control of slices"));
    FF_TRY_ASSIGN(lane->scratch_, lane->zeroed(model.scratch().bytes, "scratch of slices"));
    const std::span<const kernels::Launch> launches(model.sliced_plan().launches);
    FF_TRY_ASSIGN(lane->decode_, SlicedStep::create(engine, lane->pool_, "decode step",
                                                    lane->moved(launches, model.scratch(), lane->scratch_.view()), 1));
    if (options.keeps_hidden) {
        const gpu::BufferView x = replaced(model.residual(), model.scratch(), lane->scratch_.view());
        FF_TRY_ASSIGN(lane->hidden_, lane->zeroed(model.description().layers * hidden_stride(model), "hidden vectors"));
        for (std::uint32_t i = 0; i < launches.size(); ++i) {
            const std::int32_t layer = launches[i].layer;
            const bool last = i + 1 == launches.size() || launches[i + 1].layer != layer;
            if (layer >= 0 && last) lane->decode_->add_copy(i, {x, lane->hidden(static_cast<std::uint32_t>(layer))});
        }
    }
    if (options.reads_prompts) FF_TRY(lane->add_prompts());
    return lane;
}

Result<void> Lane::add_prompts() {
    const model::WidePlan &plan = model_.prompt_plan();
    FF_TRY_ASSIGN(prompt_scratch_, zeroed(plan.scratch.bytes(), "prompt scratch of slices"));
    std::vector<kernels::Launch> launches(plan.body.launches);
    launches.insert(launches.end(), plan.end.launches.begin(), plan.end.launches.end());
    FF_TRY_ASSIGN(prompt_, SlicedStep::create(engine_, pool_, "prompt step",
                                              moved(launches, plan.scratch.view(), prompt_scratch_.view()), plan.rows));
    options_.reads_prompts = true;
    return {};
}

void Lane::clear(std::uint32_t slot) {
    std::memset(control_.view().mapped, 0, kControlBytes);
    entry().slot = slot;
}

gpu::BufferView Lane::produced() const {
    return control_.view().slice(sizeof(shader::ControlHeader) + offsetof(shader::ControlEntry, tokens),
                                 sizeof(shader::ControlEntry::tokens));
}

gpu::BufferView Lane::produced_count() const {
    return control_.view().slice(sizeof(shader::ControlHeader) + offsetof(shader::ControlEntry, produced),
                                 sizeof(shader::ControlEntry::produced));
}

gpu::BufferView Lane::hidden(std::uint32_t layer) const {
    if (hidden_.bytes() == 0) return {};
    return hidden_.view().slice(layer * hidden_stride(model_), std::uint64_t{4} * model_.description().width);
}

Result<std::unique_ptr<Lane>> LanePool::take(const Lane::Options &options) {
    const std::lock_guard lock(mutex_);
    // The one with the least to spare; activations of prompts can be added, kept hidden vectors cannot.
    auto best = free_.end();
    for (auto lane = free_.begin(); lane != free_.end(); ++lane) {
        if ((*lane)->options().keeps_hidden != options.keeps_hidden) continue;
        if (best == free_.end() || (*lane)->options().reads_prompts == options.reads_prompts) best = lane;
    }
    std::unique_ptr<Lane> lane;
    if (best != free_.end()) {
        lane = std::move(*best);
        free_.erase(best);
        bytes_ -= lane->bytes();
        const bool lacks = options.reads_prompts && !lane->options().reads_prompts;
        if (lacks) FF_TRY(lane->add_prompts());
    } else {
        FF_TRY_ASSIGN(lane, Lane::create(engine_, model_, options));
    }
    bytes_ += lane->bytes();
    return lane;
}

void LanePool::give(std::unique_ptr<Lane> lane) {
    const std::lock_guard lock(mutex_);
    free_.push_back(std::move(lane));
}

std::uint64_t LanePool::bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
}

} // namespace ff::engine
