#include "runtime/engine/slice_clock.h"

namespace ff::engine {

Result<SliceClock::Mark *> SliceClock::take() {
    if (idle_.empty()) {
        Mark mark;
        FF_TRY_ASSIGN(mark.timestamps, gpu::Timestamps::create(device_, 2));
        for (const std::uint32_t index : {0U, 1U}) {
            FF_TRY_ASSIGN(gpu::Recorder recorder, gpu::Recorder::create(device_, "slice clock", false, pool_));
            recorder.timestamp(*mark.timestamps, index);
            FF_TRY_ASSIGN(gpu::CommandBuffer commands, recorder.finish());
            (index == 0 ? mark.begin : mark.end) = std::make_unique<gpu::CommandBuffer>(std::move(commands));
        }
        marks_.push_back(std::move(mark));
        return &marks_.back();
    }
    Mark *const mark = idle_.back();
    idle_.pop_back();
    return mark;
}

Result<double> SliceClock::microseconds(const Mark &mark) {
    FF_TRY_ASSIGN(const std::vector<double> at, mark.timestamps->read_microseconds());
    return at[1];
}

} // namespace ff::engine
