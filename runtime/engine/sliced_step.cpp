#include "runtime/engine/sliced_step.h"

#include <fmt/format.h>

namespace ff::engine {

Result<std::unique_ptr<SlicedStep>> SlicedStep::create(Engine &engine, std::shared_ptr<gpu::RecordingPool> pool,
                                                       std::string name, std::vector<kernels::Launch> launches,
                                                       std::uint32_t rows) {
    std::unique_ptr<SlicedStep> step(new SlicedStep);
    step->device_ = engine.device();
    step->pool_ = std::move(pool);
    step->name_ = std::move(name);
    step->rows_ = rows;
    step->launches_ = std::move(launches);
    FF_TRY_ASSIGN(step->pipelines_, engine.compile(step->launches_, {}));
    return step;
}

std::uint64_t SlicedStep::work(std::uint32_t begin, std::uint32_t end) const {
    std::uint64_t work = 0;
    for (std::uint32_t i = begin; i < end; ++i) work += launches_[i].bytes * rows_;
    return work;
}

Result<void> SlicedStep::commands(std::uint32_t begin, std::uint32_t end, std::vector<VkCommandBuffer> &out) {
    return add(begin, end, 0, count(), out);
}

// What of begin..end lies in the block from..to.
Result<void> SlicedStep::add(std::uint32_t begin, std::uint32_t end, std::uint32_t from, std::uint32_t to,
                             std::vector<VkCommandBuffer> &out) {
    if (begin >= to || end <= from) return {};
    const bool whole = begin <= from && to <= end;
    if (to - from > 1 && (!whole || work(from, to) > device_->traits().most_submission_work)) {
        const std::uint32_t middle = from + (to - from) / 2;
        FF_TRY(add(begin, end, from, middle, out));
        return add(begin, end, middle, to, out);
    }
    auto block = blocks_.find({from, to});
    if (block == blocks_.end()) {
        FF_TRY_ASSIGN(gpu::Recorder recorder,
                      gpu::Recorder::create(device_, fmt::format("{} {} to {}", name_, from, to), true, pool_));
        FF_TRY(record(recorder, from, to));
        FF_TRY_ASSIGN(gpu::CommandBuffer commands, recorder.finish());
        block = blocks_.emplace(std::pair{from, to}, std::move(commands)).first;
    }
    out.push_back(block->second.handle());
    return {};
}

Result<void> SlicedStep::record(gpu::Recorder &recorder, std::uint32_t begin, std::uint32_t end,
                                gpu::Timestamps *each) const {
    if (each) recorder.timestamp(*each, 0);
    for (std::uint32_t i = begin; i < end; ++i) {
        FF_TRY(record_launch(recorder, launches_[i], *pipelines_[i]));
        if (const auto copy = copies_.find(i); copy != copies_.end()) {
            FF_TRY(recorder.copy(copy->second.from, copy->second.to, "hidden"));
            // The next launch could run beside it, but synchronization validation sees bindings, not the bytes used.
            recorder.barrier();
        }
        if (each) recorder.timestamp(*each, i - begin + 1);
    }
    return {};
}

} // namespace ff::engine
