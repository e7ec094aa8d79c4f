// A buffer in memory that the host sees: vertices going in, a picture coming out.
#pragma once

#include "vulkan_host.h"

#include <utility>

namespace tavern {

class HostBuffer {
  public:
    HostBuffer() = default;
    HostBuffer(const VulkanHost &host, VkDeviceSize bytes, VkBufferUsageFlags usage) : device_(host.device()) {
        VkBufferCreateInfo info{};
        info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
        info.size = bytes;
        info.usage = usage;
        must(vkCreateBuffer(device_, &info, nullptr, &buffer_), "vkCreateBuffer");
        VkMemoryRequirements needed{};
        vkGetBufferMemoryRequirements(device_, buffer_, &needed);
        VkMemoryAllocateInfo allocate{};
        allocate.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
        allocate.allocationSize = needed.size;
        allocate.memoryTypeIndex = host.memory_type(needed.memoryTypeBits, VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                                                               VK_MEMORY_PROPERTY_HOST_COHERENT_BIT);
        must(vkAllocateMemory(device_, &allocate, nullptr, &memory_), "vkAllocateMemory");
        must(vkBindBufferMemory(device_, buffer_, memory_, 0), "vkBindBufferMemory");
        must(vkMapMemory(device_, memory_, 0, VK_WHOLE_SIZE, 0, &mapped_), "vkMapMemory");
    }
    ~HostBuffer() {
        if (device_ == VK_NULL_HANDLE) return;
        vkDestroyBuffer(device_, buffer_, nullptr);
        vkFreeMemory(device_, memory_, nullptr);
    }
    HostBuffer(HostBuffer &&other) noexcept { swap(other); }
    HostBuffer &operator=(HostBuffer &&other) noexcept {
        swap(other);
        return *this;
    }

    VkBuffer buffer() const { return buffer_; }
    void *mapped() const { return mapped_; }

  private:
    void swap(HostBuffer &other) noexcept {
        std::swap(device_, other.device_);
        std::swap(buffer_, other.buffer_);
        std::swap(memory_, other.memory_);
        std::swap(mapped_, other.mapped_);
    }
    VkDevice device_ = VK_NULL_HANDLE;
    VkBuffer buffer_ = VK_NULL_HANDLE;
    VkDeviceMemory memory_ = VK_NULL_HANDLE;
    void *mapped_ = nullptr;
};

} // namespace tavern
