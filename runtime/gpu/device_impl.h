// The inside of a Device, shared by device.cpp and memory.cpp.
#pragma once

#include "runtime/gpu/device.h"
#include "runtime/gpu/device_query.h"

namespace ff::gpu {

struct Device::Impl {
    ~Impl();

    std::shared_ptr<Instance> instance;
    std::size_t index = 0;
    PhysicalDevice physical;
    DeviceTraits traits;
    std::uint64_t budget_bytes = 0; // 0: none
    VkDevice handle = VK_NULL_HANDLE;
    bool adopted = false;
    std::function<void()> lock, unlock; // of a host
    VolkDeviceTable vk{};
    VkQueue queue = VK_NULL_HANDLE;
    std::uint32_t family = 0;
    mutable std::mutex queue_mutex;

    // Memory that lies in device-local heaps; with unified memory that is all of it.
    std::atomic<std::uint64_t> allocated_bytes{0};
    std::atomic<std::uint32_t> allocations{0};
    std::array<std::atomic<std::uint64_t>, VK_MAX_MEMORY_HEAPS> heap_bytes{}; // ours, by heap
    std::uint32_t main_heap = 0;                                              // where MemoryKind::device goes

    bool is_local(std::uint32_t heap) const {
        return (physical.memory.memoryHeaps[heap].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0;
    }
    // Shared end of create() and adopt().
    Result<void> mask(const DeviceOptions &options);
    void start();
    std::uint64_t free_bytes(std::uint32_t heap) const;
    Result<void> check(std::string_view what, std::uint64_t bytes, std::uint32_t heap) const;
    void count(std::uint32_t heap, std::uint64_t bytes);
    void uncount(std::uint32_t heap, std::uint64_t bytes);
};

} // namespace ff::gpu
