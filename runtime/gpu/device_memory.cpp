// What a device's memory still holds, and taking some of it: from Vulkan, or from the allocator of a host.
#include "runtime/gpu/device_impl.h"
#include "runtime/gpu/host_memory.h"
#include "runtime/gpu/names.h"

#include <fmt/format.h>

#include <algorithm>

namespace ff::gpu {
namespace {

VkResult allocate_from_vulkan(const Device &device, const VkMemoryRequirements &requirements, std::uint32_t type,
                              bool map, MemoryBlock &out) {
    const DeviceFunctions &vk = device.vk();
    VkMemoryAllocateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    info.allocationSize = requirements.size;
    info.memoryTypeIndex = type;
    VkMemoryAllocateFlagsInfo flags{};
    flags.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO;
    flags.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT;
    if (weights_by_address(device.traits())) info.pNext = &flags;
    VkDeviceMemory memory = VK_NULL_HANDLE;
    VkResult result = vk.vkAllocateMemory(device.handle(), &info, nullptr, &memory);
    if (result != VK_SUCCESS) return result;
    void *address = nullptr;
    if (map) result = vk.vkMapMemory(device.handle(), memory, 0, VK_WHOLE_SIZE, 0, &address);
    if (result != VK_SUCCESS) {
        vk.vkFreeMemory(device.handle(), memory, nullptr);
        return result;
    }
    out = {memory, 0, static_cast<std::byte *>(address), nullptr};
    return VK_SUCCESS;
}

} // namespace

std::uint64_t Device::Impl::free_bytes(std::uint32_t heap) const {
    std::uint64_t free = 0;
    const std::uint64_t ours = heap_bytes[heap];
    if (traits.memory_budget) {
        VkPhysicalDeviceMemoryBudgetPropertiesEXT budget{};
        budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT;
        VkPhysicalDeviceMemoryProperties2 properties{};
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
        properties.pNext = &budget;
        instance->vk().vkGetPhysicalDeviceMemoryProperties2(physical.info.handle, &properties);
        const std::uint64_t usage = budget.heapUsage[heap], most = budget.heapBudget[heap];
        free = most > usage ? most - usage : 0;
    } else {
        const std::uint64_t size = physical.memory.memoryHeaps[heap].size;
        free = size > ours ? size - ours : 0;
        // lavapipe before Mesa 23 has a heap of 2 GiB on every host, and allocates as much as the host gives.
        if (physical.info.type == DeviceType::software) free = std::max(free, available_host_bytes());
    }
    if (budget_bytes != 0 && is_local(heap))
        free = std::min(free, budget_bytes > local_bytes ? budget_bytes - local_bytes : 0);
    return free;
}

Result<void> Device::Impl::check(std::string_view what, std::uint64_t bytes, std::uint32_t heap) const {
    const std::uint64_t free = free_bytes(heap);
    if (bytes <= free) return {};
    const std::string budget =
        budget_bytes != 0 && is_local(heap) ? fmt::format(" within its budget of {}", human_bytes(budget_bytes)) : "";
    return Error{Status::out_of_device_memory, fmt::format("{} needs {}, {} has {} free{}", what, human_bytes(bytes),
                                                           physical.info.name, human_bytes(free), budget)};
}

Result<MemoryBlock> Device::Impl::allocate(const Device &device, const VkMemoryRequirements &requirements,
                                           std::uint32_t type, bool map, std::string_view name) {
    const std::uint32_t heap = physical.memory.memoryTypes[type].heapIndex;
    {
        const std::lock_guard lock(memory_mutex);
        FF_TRY(check(name, requirements.size, heap));
        heap_bytes[heap] += requirements.size;
        if (is_local(heap)) local_bytes += requirements.size;
        ++allocations;
    }
    MemoryBlock block;
    std::string_view call = "allocation from the host's allocator";
    VkResult result = VK_SUCCESS;
    if (allocator.allocate) {
        result = allocator.allocate(requirements, type, map, std::string(name).c_str(), block);
    } else {
        call = "vkAllocateMemory";
        result = allocate_from_vulkan(device, requirements, type, map, block);
        if (result == VK_SUCCESS) device.set_name(VK_OBJECT_TYPE_DEVICE_MEMORY, block.memory, name);
    }
    if (result != VK_SUCCESS) {
        release({}, type, requirements.size);
        return device.error(result, fmt::format("{} ({})", call, human_bytes(requirements.size)), name);
    }
    std::string_view mistake;
    if (block.memory == VK_NULL_HANDLE)
        mistake = "no memory";
    else if (block.offset % requirements.alignment != 0)
        mistake = "an offset that is not aligned";
    else if (map && block.mapped == nullptr)
        mistake = "no host address";
    if (!mistake.empty()) {
        release(block, type, requirements.size);
        return Error{Status::argument,
                     fmt::format("the host's allocator says VK_SUCCESS for {} and gives {}", name, mistake)};
    }
    if (!map) block.mapped = nullptr;
    return block;
}

std::uint64_t Device::Impl::address_of(VkBuffer buffer) const {
    VkBufferDeviceAddressInfo info{};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_DEVICE_ADDRESS_INFO;
    info.buffer = buffer;
    const bool core = std::min(physical.api_version, instance->api_version()) >= VK_API_VERSION_1_2;
    return (core ? vk.vkGetBufferDeviceAddress : vk.vkGetBufferDeviceAddressKHR)(handle, &info);
}

void Device::Impl::release(const MemoryBlock &block, std::uint32_t type, std::uint64_t bytes) {
    if (block.memory != VK_NULL_HANDLE) {
        if (allocator.free)
            allocator.free(block);
        else
            vk.vkFreeMemory(handle, block.memory, nullptr); // unmaps too
    }
    const std::uint32_t heap = physical.memory.memoryTypes[type].heapIndex;
    const std::lock_guard lock(memory_mutex);
    heap_bytes[heap] -= bytes;
    if (is_local(heap)) local_bytes -= bytes;
    --allocations;
}

std::uint64_t Device::free_memory_bytes() const {
    const std::lock_guard lock(impl_->memory_mutex);
    return impl_->free_bytes(impl_->main_heap);
}
std::uint64_t Device::allocated_bytes() const {
    const std::lock_guard lock(impl_->memory_mutex);
    return impl_->local_bytes;
}
std::uint32_t Device::allocation_count() const {
    const std::lock_guard lock(impl_->memory_mutex);
    return impl_->allocations;
}
Result<void> Device::check_memory(std::string_view what, std::uint64_t bytes) const {
    if (imagined()) return {};
    const std::lock_guard lock(impl_->memory_mutex);
    return impl_->check(what, bytes, impl_->main_heap);
}

} // namespace ff::gpu
