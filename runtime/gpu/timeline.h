// Submission order as a growing number: a timeline semaphore, or a row of fences where the device has none.
#pragma once

#include "runtime/gpu/device.h"

namespace ff::gpu {

// A semaphore of somebody else's that a submission waits for or signals; `value` is that of a timeline semaphore.
struct SemaphoreAt {
    VkSemaphore semaphore = VK_NULL_HANDLE;
    std::uint64_t value = 0;
};
struct SubmitOrder {
    std::span<const SemaphoreAt> wait{}, signal{};
};

// Any thread may call any function.
class Timeline {
  public:
    static Result<std::unique_ptr<Timeline>> create(std::shared_ptr<Device> device);
    ~Timeline();

    // Submits each command buffer in turn, as one vkQueueSubmit where the device has timeline semaphores; the value of
    // the last is returned, those before it count down from there by one.
    Result<std::uint64_t> submit(std::span<const VkCommandBuffer> commands);
    // Submits all of them as one, after and before these semaphores. Command buffers may be none.
    Result<std::uint64_t> submit_together(std::span<const VkCommandBuffer> commands, const SubmitOrder &order = {});
    // Returns when `value` is reached, however long that takes: what hangs for good the system ends, and the device is lost.
    Result<void> wait(std::uint64_t value);
    Result<std::uint64_t> completed();   // the largest value reached; does not block
    std::uint64_t submitted() const;     // the value of the last submission
    std::uint64_t queue_submits() const; // how often vkQueueSubmit was called, for statistics
    VkSemaphore semaphore() const;       // null where fences stand in

  private:
    Timeline();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace ff::gpu
