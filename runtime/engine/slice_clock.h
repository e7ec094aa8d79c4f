// How long slices took by the device's clock: timestamps in small command buffers that go before and after a slice's
// own.
#pragma once

#include "runtime/gpu/recorder.h"

#include <deque>

namespace ff::engine {

class SliceClock {
  public:
    struct Mark {
        std::unique_ptr<gpu::Timestamps> timestamps; // two
        std::unique_ptr<gpu::CommandBuffer> begin, end;
    };

    // Without timestamps where the device has none.
    SliceClock(std::shared_ptr<gpu::Device> device, std::shared_ptr<gpu::RecordingPool> pool)
        : device_(std::move(device)), pool_(std::move(pool)) {}
    bool available() const { return device_->traits().timestamp_valid_bits != 0; }
    // To be used for one slice, and then given back.
    Result<Mark *> take();
    void give(Mark *mark) { idle_.push_back(mark); }
    static Result<double> microseconds(const Mark &mark); // of a slice that has finished

  private:
    std::shared_ptr<gpu::Device> device_;
    std::shared_ptr<gpu::RecordingPool> pool_;
    std::deque<Mark> marks_;
    std::vector<Mark *> idle_;
};

} // namespace ff::engine
