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
    const DeviceFunctions &vk = device->vk();
    if (bytes == 0) return Error{Status::argument, fmt::format("buffer {}: zero bytes were asked for", name)};
    if (bytes > traits.max_allocation_bytes)
        return Error{Status::unsupported,
                     fmt::format("buffer {} is {}, {} allocates at most {} at once", name, human_bytes(bytes),
                                 device->info().name, human_bytes(traits.max_allocation_bytes))};

    Buffer out;
    out.device_ = device;
    out.bytes_ = bytes;
    if (device->imagined()) { // told apart by number
        out.buffer_ = reinterpret_cast<VkBuffer>(static_cast<std::uintptr_t>(++impl.imagined_buffers));
        return out;
    }
    VkBufferCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_BUFFER_CREATE_INFO;
    info.size = bytes;
    info.usage = VK_BUFFER_USAGE_STORAGE_BUFFER_BIT | VK_BUFFER_USAGE_TRANSFER_SRC_BIT |
                 VK_BUFFER_USAGE_TRANSFER_DST_BIT | VK_BUFFER_USAGE_INDIRECT_BUFFER_BIT;
    if (weights_by_address(traits)) info.usage |= VK_BUFFER_USAGE_SHADER_DEVICE_ADDRESS_BIT;
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

    // The next best type is tried when one is used up; the first refusal is the one worth telling.
    std::optional<Error> refusal;
    for (const std::uint32_t type : types) {
        auto block =
            impl.allocate(*device, requirements, type, is_mapped(memory, type, kind, traits.unified_memory), name);
        if (!block) {
            if (!refusal) refusal = std::move(block).error();
            continue;
        }
        out.memory_ = block.value();
        out.allocated_ = requirements.size;
        out.type_ = type;
        if (const VkResult bound =
                vk.vkBindBufferMemory(device->handle(), out.buffer_, out.memory_.memory, out.memory_.offset);
            bound != VK_SUCCESS)
            return device->error(bound, "vkBindBufferMemory", name);
        if (weights_by_address(traits)) out.address_ = impl.address_of(out.buffer_);
        return out;
    }
    return *std::move(refusal); // there is one type at least
}

Buffer::~Buffer() {
    if (device_ == nullptr || device_->imagined()) return;
    if (buffer_ != VK_NULL_HANDLE) device_->vk().vkDestroyBuffer(device_->handle(), buffer_, nullptr);
    if (memory_.memory != VK_NULL_HANDLE) device_->impl_->release(memory_, type_, allocated_);
}

Buffer::Buffer(Buffer &&other) noexcept
    : device_(std::move(other.device_)), buffer_(std::exchange(other.buffer_, VK_NULL_HANDLE)),
      memory_(std::exchange(other.memory_, {})), bytes_(std::exchange(other.bytes_, 0)),
      allocated_(std::exchange(other.allocated_, 0)), address_(other.address_), type_(other.type_) {}

Buffer &Buffer::operator=(Buffer &&other) noexcept {
    Buffer moved(std::move(other));
    std::swap(device_, moved.device_);
    std::swap(buffer_, moved.buffer_);
    std::swap(memory_, moved.memory_);
    std::swap(bytes_, moved.bytes_);
    std::swap(allocated_, moved.allocated_);
    std::swap(address_, moved.address_);
    std::swap(type_, moved.type_);
    return *this;
}

} // namespace ff::gpu
