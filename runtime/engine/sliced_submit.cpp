// How a run's slices get to the device: blocks that are kept, launches measured one by one, or a command buffer of the
// program's.
#include "runtime/engine/sliced_run.h"

namespace ff::engine {
namespace {

constexpr std::uint64_t kWaitEvery = 16; // slices that are measured by waiting, where there are no timestamps

} // namespace

// A measured slice has launches of one step, recorded for this once: a timestamp after every launch would cost the
// command buffers that are kept.
Result<void> Session::Run::submit_singly(Slice &slice, const gpu::SubmitOrder &order) {
    const Piece &piece = slice.pieces.front();
    const std::shared_ptr<gpu::Device> &device = model_.engine().device();
    FF_TRY_ASSIGN(slice.each, gpu::Timestamps::create(device, piece.end - piece.begin + 1));
    FF_TRY_ASSIGN(gpu::Recorder recorder, gpu::Recorder::create(device, "measured slice", false, lane_->pool()));
    FF_TRY(piece.step->record(recorder, piece.begin, piece.end, slice.each.get()));
    FF_TRY_ASSIGN(gpu::CommandBuffer commands, recorder.finish());
    slice.once = std::make_unique<gpu::CommandBuffer>(std::move(commands));
    const VkCommandBuffer handle = slice.once->handle();
    FF_TRY_ASSIGN(slice.value, model_.timeline().submit_together(std::span(&handle, 1), order));
    return {};
}

Result<void> Session::Run::submit_blocks(Slice &slice, const gpu::SubmitOrder &order) {
    const std::uint64_t most = model_.engine().device()->traits().most_submission_work;
    std::vector<VkCommandBuffer> commands;
    if (lane_->clock().available()) {
        FF_TRY_ASSIGN(slice.mark, lane_->clock().take());
        commands.push_back(slice.mark->begin->handle());
    }
    gpu::SubmitOrder rest = order;
    std::uint64_t work = 0;
    for (const Piece &piece : slice.pieces) {
        const std::uint64_t more = piece.step->work(piece.begin, piece.end);
        if (work > 0 && work + more > most) { // systems end a device whose submission takes seconds
            FF_TRY(model_.timeline().submit_together(commands, {.wait = rest.wait, .signal = {}}));
            rest.wait = {};
            commands.clear();
            work = 0;
        }
        FF_TRY(piece.step->commands(piece.begin, piece.end, commands));
        work += more;
    }
    if (slice.mark) commands.push_back(slice.mark->end->handle());
    FF_TRY_ASSIGN(slice.value, model_.timeline().submit_together(commands, rest));
    return {};
}

Result<void> Session::Run::submit(Slice &slice, const gpu::SubmitOrder &order) {
    const bool timestamps = lane_->clock().available();
    const auto start = std::chrono::steady_clock::now();
    if (slice.singly && timestamps) return submit_singly(slice, order);
    FF_TRY(submit_blocks(slice, order));
    if (!timestamps && slices_.empty() && (slice.singly || slice.number % kWaitEvery == 0)) {
        FF_TRY(model_.timeline().wait(slice.value));
        slice.waited_us = std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count();
    }
    return {};
}

Result<void> Session::Run::record_into(VkCommandBuffer commands, Slice &slice) {
    const std::shared_ptr<gpu::Device> &device = model_.engine().device();
    const std::size_t count = slice.classes.size();
    if (lane_->clock().available()) {
        if (slice.singly) {
            FF_TRY_ASSIGN(slice.each, gpu::Timestamps::create(device, static_cast<std::uint32_t>(count + 1)));
        } else {
            FF_TRY_ASSIGN(slice.mark, lane_->clock().take());
        }
    }
    for (const Piece &piece : slice.pieces) {
        gpu::Recorder recorder = gpu::Recorder::append(commands, device, "slice", lane_->pool());
        if (slice.mark && &piece == &slice.pieces.front()) recorder.timestamp(*slice.mark->timestamps, 0);
        FF_TRY(piece.step->record(recorder, piece.begin, piece.end, slice.each.get()));
        if (slice.mark && &piece == &slice.pieces.back()) recorder.timestamp(*slice.mark->timestamps, 1);
        FF_TRY(recorder.finish());
    }
    return {};
}

} // namespace ff::engine
