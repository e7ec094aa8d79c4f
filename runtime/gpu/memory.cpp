#include "runtime/gpu/memory.h"

#include "runtime/gpu/device_impl.h"
#include "runtime/gpu/memory_types.h"
#include "runtime/gpu/names.h"

#include <fmt/format.h>

#include <utility>

namespace ff::gpu {

Result<Buffer> Buffer::create(std::shared_ptr<Device> device, MemoryKind kind, std::uint64_t bytes,
                              std::string_view name) {
    Device::Impl &impl = *device->impl_;
    const DeviceTraits &traits = device->traits();
    const VolkDeviceTable &vk = device->vk();
    if (bytes == 0) return Error{Status::argument, fmt::format("buffer {}: zero bytes were asked for", name)};
    if (bytes > traits.max_allocation_bytes)
        return Error{Status::unsupported,
                     fmt::format("buffer {} is {}, {} allocates at most {} at once", name, human_bytes(bytes),
                                 device->info().name, human_bytes(traits.max_allocation_bytes))};

    Buffer out;
    out.device_ = device;
    out.bytes_ = bytes;
    VkBufferCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    info.size = bytes;
    info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                 VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT;
    if (traits.buffer_device_address) info.usage |= VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
    info.sharingMode = VK_SHARING_MODE_EXCLUSIVE;
    if (const VkResult result = vk.vkCreateBuffer(device->handle(), &info, nullptr, &out.buffer_);
        result != VK_SUCCESS) {
        out.buffer_ = VK_NULL_HANDLE;
        return device->error(result, fmt::format("vkCreateBuffer({})", human_bytes(bytes)), name);
    }
    device->set_name(VK_OBJECT_TYPE_BUFFER, out.buffer_, name);

    VkMemoryRequirements requirements{};
    vk.vkGetBufferMemoryRequirements(device->handle(), out.buffer_, &requirements);
    const VkPhysicalDeviceMemoryProperties &memory = device->memory_properties();
    const auto types = rank_memory_types(memory, requirements.memoryTypeBits, kind, traits.unified_memory);
    if (types.empty())
        return Error{Status::unsupported, fmt::format("{} has no memory type for buffer {} (types {:#x})",
                                                      device->info().name, name, requirements.memoryTypeBits)};

    VkMemoryAllocateFlagsInfo flags{};
    flags.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_FLAGS_INFO;
    flags.flags = VK_MEMORY_ALLOCATE_DEVICE_ADDRESS_BIT;
    // The next best type is tried when one is used up; the first refusal is the one worth telling.
    std::optional<Error> refusal;
    for (const std::uint32_t type : types) {
        const std::uint32_t heap = memory.memoryTypes[type].heapIndex;
        if (auto enough = impl.check(name, requirements.size, heap); !enough) {
            if (!refusal) refusal = std::move(enough).error();
            continue;
        }
        VkMemoryAllocateInfo allocate{};
        allocate.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
        allocate.pNext = traits.buffer_device_address ? &flags : nullptr;
        allocate.allocationSize = requirements.size;
        allocate.memoryTypeIndex = type;
        const VkResult result = vk.vkAllocateMemory(device->handle(), &allocate, nullptr, &out.memory_);
        if (result != VK_SUCCESS) {
            out.memory_ = VK_NULL_HANDLE;
            if (!refusal)
                refusal = device->error(result, fmt::format("vkAllocateMemory({})", human_bytes(bytes)), name);
            continue;
        }
        out.allocated_ = requirements.size;
        out.heap_ = heap;
        impl.count(heap, requirements.size);
        refusal.reset();
        device->set_name(VK_OBJECT_TYPE_DEVICE_MEMORY, out.memory_, name);
        if (const VkResult bound = vk.vkBindBufferMemory(device->handle(), out.buffer_, out.memory_, 0);
            bound != VK_SUCCESS)
            return device->error(bound, "vkBindBufferMemory", name);
        if (is_mapped(memory, type, kind, traits.unified_memory)) {
            void *address = nullptr;
            const VkResult mapped = vk.vkMapMemory(device->handle(), out.memory_, 0, VK_WHOLE_SIZE, 0, &address);
            if (mapped != VK_SUCCESS) return device->error(mapped, "vkMapMemory", name);
            out.mapped_ = static_cast<std::byte *>(address);
        }
        break;
    }
    if (refusal) return *std::move(refusal);
    return out;
}

Buffer::~Buffer() {
    if (device_ == nullptr) return;
    const VolkDeviceTable &vk = device_->vk();
    if (buffer_ != VK_NULL_HANDLE) vk.vkDestroyBuffer(device_->handle(), buffer_, nullptr);
    if (memory_ == VK_NULL_HANDLE) return;
    vk.vkFreeMemory(device_->handle(), memory_, nullptr); // unmaps too
    device_->impl_->uncount(heap_, allocated_);
}

Buffer::Buffer(Buffer &&other) noexcept
    : device_(std::move(other.device_)), buffer_(std::exchange(other.buffer_, VK_NULL_HANDLE)),
      memory_(std::exchange(other.memory_, VK_NULL_HANDLE)), bytes_(std::exchange(other.bytes_, 0)),
      allocated_(std::exchange(other.allocated_, 0)), heap_(other.heap_),
      mapped_(std::exchange(other.mapped_, nullptr)) {}

Buffer &Buffer::operator=(Buffer &&other) noexcept {
    Buffer moved(std::move(other));
    std::swap(device_, moved.device_);
    std::swap(buffer_, moved.buffer_);
    std::swap(memory_, moved.memory_);
    std::swap(bytes_, moved.bytes_);
    std::swap(allocated_, moved.allocated_);
    std::swap(heap_, moved.heap_);
    std::swap(mapped_, moved.mapped_);
    return *this;
}

} // namespace ff::gpu
