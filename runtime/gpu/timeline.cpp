#include "runtime/gpu/timeline.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>

namespace ff::gpu {
namespace {

// Waits are cut into slices: between two of them a driver that lost the device without waking its waiters is noticed.
constexpr std::uint64_t kSliceNs = 500'000'000;

} // namespace

struct Timeline::Impl {
    // A submission's fence, where there is no timeline semaphore.
    struct Pending {
        std::uint64_t value;
        VkFence fence;
        std::uint32_t waiters; // the fence may not be reset while a thread waits on it
    };

    std::shared_ptr<Device> device;
    VkSemaphore semaphore = VK_NULL_HANDLE; // null: fences
    PFN_vkWaitSemaphores wait_semaphores = nullptr;
    PFN_vkGetSemaphoreCounterValue counter_value = nullptr;

    mutable std::mutex mutex; // guards what follows; never held while waiting
    std::uint64_t submitted = 0, completed = 0, queue_submits = 0;
    std::deque<Pending> pending;
    std::vector<VkFence> idle;

    ~Impl();
    Result<std::uint64_t> submit_with_semaphore(std::span<const VkCommandBuffer> commands);
    Result<std::uint64_t> submit_with_fences(std::span<const VkCommandBuffer> commands);
    Result<std::uint64_t> submit_one(std::span<const VkCommandBuffer> commands, const SubmitOrder &order);
    Result<std::uint64_t> poll();                                         // with the mutex held
    Result<bool> wait_slice(std::uint64_t value); // true: reached
    Result<VkFence> fence();                                              // with the mutex held
};

Timeline::Timeline() : impl_(std::make_unique<Impl>()) {}

Timeline::~Timeline() {
    // What was submitted uses objects that are destroyed now. A device that hangs is lost sooner or later, by the system's will.
    if (impl_->device != nullptr && impl_->submitted != 0) static_cast<void>(wait(impl_->submitted));
}

Timeline::Impl::~Impl() {
    if (device == nullptr) return;
    const DeviceFunctions &vk = device->vk();
    if (semaphore != VK_NULL_HANDLE) vk.vkDestroySemaphore(device->handle(), semaphore, nullptr);
    for (const Pending &entry : pending) vk.vkDestroyFence(device->handle(), entry.fence, nullptr);
    for (const VkFence fence : idle) vk.vkDestroyFence(device->handle(), fence, nullptr);
}

Result<std::unique_ptr<Timeline>> Timeline::create(std::shared_ptr<Device> device) {
    std::unique_ptr<Timeline> out(new Timeline);
    Impl &self = *out->impl_;
    self.device = std::move(device);
    if (!self.device->traits().timeline_semaphore) return out;

    const DeviceFunctions &vk = self.device->vk();
    self.wait_semaphores = vk.vkWaitSemaphores != nullptr ? vk.vkWaitSemaphores : vk.vkWaitSemaphoresKHR;
    self.counter_value =
        vk.vkGetSemaphoreCounterValue != nullptr ? vk.vkGetSemaphoreCounterValue : vk.vkGetSemaphoreCounterValueKHR;
    if (self.device->api_version() < VK_API_VERSION_1_2) { // core names may be there and must not be called
        self.wait_semaphores = vk.vkWaitSemaphoresKHR;
        self.counter_value = vk.vkGetSemaphoreCounterValueKHR;
    }
    VkSemaphoreTypeCreateInfo type{};
    type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
    type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
    VkSemaphoreCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
    info.pNext = &type;
    const VkResult result = vk.vkCreateSemaphore(self.device->handle(), &info, nullptr, &self.semaphore);
    if (result != VK_SUCCESS) {
        self.semaphore = VK_NULL_HANDLE;
        return self.device->error(result, "vkCreateSemaphore", "timeline");
    }
    self.device->set_name(VK_OBJECT_TYPE_SEMAPHORE, self.semaphore, "timeline");
    return out;
}

Result<std::uint64_t> Timeline::submit(std::span<const VkCommandBuffer> commands) {
    FF_TRY(impl_->device->check_not_lost());
    const std::lock_guard lock(impl_->mutex);
    if (commands.empty()) return impl_->submitted;
    return impl_->semaphore != VK_NULL_HANDLE ? impl_->submit_with_semaphore(commands)
                                              : impl_->submit_with_fences(commands);
}

Result<std::uint64_t> Timeline::Impl::submit_with_semaphore(std::span<const VkCommandBuffer> commands) {
    std::vector<std::uint64_t> values(commands.size());
    std::vector<VkTimelineSemaphoreSubmitInfo> timelines(commands.size());
    std::vector<VkSubmitInfo> submits(commands.size());
    for (std::size_t i = 0; i < commands.size(); ++i) {
        values[i] = submitted + i + 1;
        timelines[i] = {};
        timelines[i].sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
        timelines[i].signalSemaphoreValueCount = 1;
        timelines[i].pSignalSemaphoreValues = &values[i];
        submits[i] = {};
        submits[i].sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        submits[i].pNext = &timelines[i];
        submits[i].commandBufferCount = 1;
        submits[i].pCommandBuffers = &commands[i];
        submits[i].signalSemaphoreCount = 1;
        submits[i].pSignalSemaphores = &semaphore;
    }
    ++queue_submits;
    if (const VkResult result = device->submit(submits, VK_NULL_HANDLE); result != VK_SUCCESS)
        return device->error(result, "vkQueueSubmit", fmt::format("submission {}", submitted + 1));
    submitted += commands.size();
    return submitted;
}

Result<std::uint64_t> Timeline::submit_together(std::span<const VkCommandBuffer> commands, const SubmitOrder &order) {
    FF_TRY(impl_->device->check_not_lost());
    const std::lock_guard lock(impl_->mutex);
    return impl_->submit_one(commands, order);
}

Result<std::uint64_t> Timeline::Impl::submit_one(std::span<const VkCommandBuffer> commands, const SubmitOrder &order) {
    std::vector<VkSemaphore> waits, signals;
    std::vector<std::uint64_t> wait_values, signal_values;
    for (const SemaphoreAt &each : order.wait) waits.push_back(each.semaphore), wait_values.push_back(each.value);
    for (const SemaphoreAt &each : order.signal) signals.push_back(each.semaphore), signal_values.push_back(each.value);
    VkFence done = VK_NULL_HANDLE;
    if (semaphore != VK_NULL_HANDLE) {
        signals.push_back(semaphore);
        signal_values.push_back(submitted + 1);
    } else {
        FF_TRY(poll()); // takes back fences
        FF_TRY_ASSIGN(done, fence());
    }
    const std::vector<VkPipelineStageFlags> stages(waits.size(), VK_PIPELINE_STAGE_ALL_COMMANDS_BIT);
    VkTimelineSemaphoreSubmitInfo values{};
    values.sType = VK_STRUCTURE_TYPE_TIMELINE_SEMAPHORE_SUBMIT_INFO;
    values.waitSemaphoreValueCount = static_cast<std::uint32_t>(waits.size());
    values.pWaitSemaphoreValues = wait_values.data();
    values.signalSemaphoreValueCount = static_cast<std::uint32_t>(signals.size());
    values.pSignalSemaphoreValues = signal_values.data();
    VkSubmitInfo info{};
    info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
    info.pNext = semaphore != VK_NULL_HANDLE ? &values : nullptr;
    info.waitSemaphoreCount = static_cast<std::uint32_t>(waits.size());
    info.pWaitSemaphores = waits.data();
    info.pWaitDstStageMask = stages.data();
    info.commandBufferCount = static_cast<std::uint32_t>(commands.size());
    info.pCommandBuffers = commands.data();
    info.signalSemaphoreCount = static_cast<std::uint32_t>(signals.size());
    info.pSignalSemaphores = signals.data();
    ++queue_submits;
    if (const VkResult result = device->submit({&info, 1}, done); result != VK_SUCCESS) {
        if (done != VK_NULL_HANDLE) idle.push_back(done);
        return device->error(result, "vkQueueSubmit", fmt::format("submission {}", submitted + 1));
    }
    ++submitted;
    if (done != VK_NULL_HANDLE) pending.push_back({submitted, done, 0});
    return submitted;
}

Result<VkFence> Timeline::Impl::fence() {
    VkFence out = VK_NULL_HANDLE;
    if (!idle.empty()) {
        out = idle.back();
        if (const VkResult result = device->vk().vkResetFences(device->handle(), 1, &out); result != VK_SUCCESS)
            return device->error(result, "vkResetFences", "timeline");
        idle.pop_back();
        return out;
    }
    VkFenceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
    if (const VkResult result = device->vk().vkCreateFence(device->handle(), &info, nullptr, &out);
        result != VK_SUCCESS)
        return device->error(result, "vkCreateFence", "timeline");
    return out;
}

Result<std::uint64_t> Timeline::Impl::submit_with_fences(std::span<const VkCommandBuffer> commands) {
    FF_TRY(poll()); // takes back fences
    for (const VkCommandBuffer &command : commands) {
        FF_TRY_ASSIGN(const VkFence signal, fence());
        VkSubmitInfo info{};
        info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        info.commandBufferCount = 1;
        info.pCommandBuffers = &command;
        ++queue_submits;
        if (const VkResult result = device->submit({&info, 1}, signal); result != VK_SUCCESS) {
            idle.push_back(signal);
            return device->error(result, "vkQueueSubmit", fmt::format("submission {}", submitted + 1));
        }
        pending.push_back({++submitted, signal, 0});
    }
    return submitted;
}

Result<std::uint64_t> Timeline::Impl::poll() {
    if (semaphore != VK_NULL_HANDLE) {
        std::uint64_t value = 0;
        const VkResult result = counter_value(device->handle(), semaphore, &value);
        if (result != VK_SUCCESS) return device->error(result, "vkGetSemaphoreCounterValue", "timeline");
        // Drivers that lose a device set the counter beyond everything, to wake those who wait.
        if (value > submitted) return device->error(VK_ERROR_DEVICE_LOST, "vkGetSemaphoreCounterValue", "timeline");
        return completed = std::max(completed, value);
    }
    for (const Pending &entry : pending) {
        if (entry.value <= completed) continue;
        const VkResult result = device->vk().vkGetFenceStatus(device->handle(), entry.fence);
        if (result == VK_NOT_READY) break;
        if (result != VK_SUCCESS) return device->error(result, "vkGetFenceStatus", "timeline");
        completed = entry.value;
    }
    while (!pending.empty() && pending.front().value <= completed && pending.front().waiters == 0) {
        idle.push_back(pending.front().fence);
        pending.pop_front();
    }
    return completed;
}

Result<bool> Timeline::Impl::wait_slice(std::uint64_t value) {
    VkFence fence = VK_NULL_HANDLE;
    {
        const std::lock_guard lock(mutex);
        if (completed >= value) return true;
        if (value > submitted)
            return Error{Status::argument,
                         fmt::format("submission {} is waited for, the last one is {}", value, submitted)};
        if (semaphore == VK_NULL_HANDLE) {
            const auto entry = std::find_if(pending.begin(), pending.end(),
                                            [&](const Pending &candidate) { return candidate.value >= value; });
            ++entry->waiters; // found: everything beyond `completed` is pending
            fence = entry->fence;
            value = entry->value;
        }
    }
    VkResult result = VK_SUCCESS;
    if (fence != VK_NULL_HANDLE) {
        result = device->vk().vkWaitForFences(device->handle(), 1, &fence, VK_TRUE, kSliceNs);
    } else {
        VkSemaphoreWaitInfo info{};
        info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
        info.semaphoreCount = 1;
        info.pSemaphores = &semaphore;
        info.pValues = &value;
        result = wait_semaphores(device->handle(), &info, kSliceNs);
    }
    const std::lock_guard lock(mutex);
    if (fence != VK_NULL_HANDLE)
        for (Pending &entry : pending)
            if (entry.fence == fence) --entry.waiters;
    if (result != VK_SUCCESS && result != VK_TIMEOUT)
        return device->error(result, fence != VK_NULL_HANDLE ? "vkWaitForFences" : "vkWaitSemaphores", "timeline");
    if (result == VK_TIMEOUT) return false;
    completed = std::max(completed, value); // submissions finish in order
    return true;
}

Result<void> Timeline::wait(std::uint64_t value) {
    while (true) {
        FF_TRY_ASSIGN(const bool reached, impl_->wait_slice(value));
        if (reached) return {};
    }
}

Result<std::uint64_t> Timeline::completed() {
    const std::lock_guard lock(impl_->mutex);
    return impl_->poll();
}

std::uint64_t Timeline::submitted() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->submitted;
}

std::uint64_t Timeline::queue_submits() const {
    const std::lock_guard lock(impl_->mutex);
    return impl_->queue_submits;
}

VkSemaphore Timeline::semaphore() const {
    return impl_->semaphore;
}

} // namespace ff::gpu
