// The inside of a Device, shared by device.cpp and memory.cpp.
#pragma once

#include "runtime/gpu/device.h"
#include "runtime/gpu/device_query.h"

#include <atomic>
#include <mutex>

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
    DeviceFunctions vk;
    HostAllocator allocator; // empty: vkAllocateMemory
    VkQueue queue = VK_NULL_HANDLE;
    std::uint32_t family = 0;
    mutable std::mutex queue_mutex;
    mutable std::atomic<bool> lost{false};

    std::atomic<std::uint32_t> imagined_buffers{0};
    mutable std::mutex memory_mutex; // guards the next three: two threads must not pass one budget's check together
    std::uint64_t local_bytes = 0;   // in device-local heaps; with unified memory that is all of it
    std::uint32_t allocations = 0;
    std::array<std::uint64_t, VK_MAX_MEMORY_HEAPS> heap_bytes{}; // ours, by heap
    std::uint32_t main_heap = 0;                                 // where MemoryKind::device goes

    bool is_local(std::uint32_t heap) const {
        return (physical.memory.memoryHeaps[heap].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0;
    }
    // Shared end of create() and adopt().
    Result<void> mask(const DeviceOptions &options);
    void start();
    std::uint64_t free_bytes(std::uint32_t heap) const; // with the memory mutex held, as check()
    Result<void> check(std::string_view what, std::uint64_t bytes, std::uint32_t heap) const;
    // Memory of this type for a buffer, counted. Fails with out_of_device_memory where there is not so much, or not in
    // the budget.
    Result<MemoryBlock> allocate(const Device &device, const VkMemoryRequirements &requirements, std::uint32_t type,
                                 bool map, std::string_view name);
    std::uint64_t address_of(VkBuffer buffer) const;
    void release(const MemoryBlock &block, std::uint32_t type, std::uint64_t bytes);
};

} // namespace ff::gpu
