#include "runtime/gpu/command_buffer.h"

namespace ff::gpu {

Result<std::shared_ptr<RecordingPool>> RecordingPool::create(std::shared_ptr<Device> device, std::string_view name) {
    std::shared_ptr<RecordingPool> out(new RecordingPool(std::move(device)));
    const Device &owner = out->device();
    VkCommandPoolCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
    info.queueFamilyIndex = owner.compute_family();
    const VkResult result = owner.vk().vkCreateCommandPool(owner.handle(), &info, nullptr, &out->pool_);
    if (result != VK_SUCCESS) {
        out->pool_ = VK_NULL_HANDLE;
        return owner.error(result, "vkCreateCommandPool", name);
    }
    return out;
}

RecordingPool::~RecordingPool() {
    if (pool_ != VK_NULL_HANDLE) device_->vk().vkDestroyCommandPool(device_->handle(), pool_, nullptr);
}

Result<std::shared_ptr<RecordingPool>> create_recording_pool(std::shared_ptr<Device> device, std::string_view name) {
    return RecordingPool::create(std::move(device), name);
}

Result<std::unique_ptr<Commands>> Commands::create(std::shared_ptr<Device> device, std::string_view name) {
    FF_TRY_ASSIGN(std::shared_ptr<RecordingPool> pool, RecordingPool::create(std::move(device), name));
    return create(std::move(pool), name);
}

Result<std::unique_ptr<Commands>> Commands::create(std::shared_ptr<RecordingPool> pool, std::string_view name) {
    std::unique_ptr<Commands> out(new Commands(std::move(pool), name));
    const Device &owner = out->device();
    VkCommandBufferAllocateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    info.commandPool = out->pool_->handle();
    info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    info.commandBufferCount = 1;
    const VkResult result = owner.vk().vkAllocateCommandBuffers(owner.handle(), &info, &out->buffer_);
    if (result != VK_SUCCESS) {
        out->buffer_ = VK_NULL_HANDLE;
        return owner.error(result, "vkAllocateCommandBuffers", name);
    }
    owner.set_name(VK_OBJECT_TYPE_COMMAND_BUFFER, out->buffer_, name);
    return out;
}

std::unique_ptr<Commands> Commands::of_another(std::shared_ptr<RecordingPool> pool, VkCommandBuffer commands,
                                               std::string_view name) {
    std::unique_ptr<Commands> out(new Commands(std::move(pool), name));
    out->buffer_ = commands;
    out->owned_ = false;
    return out;
}

Commands::~Commands() {
    if (owned_ && buffer_ != VK_NULL_HANDLE)
        device().vk().vkFreeCommandBuffers(device().handle(), pool_->handle(), 1, &buffer_);
}

Result<void> Commands::begin(VkCommandBufferUsageFlags usage) {
    VkCommandBufferBeginInfo info{};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    info.flags = usage;
    if (const VkResult result = device().vk().vkBeginCommandBuffer(buffer_, &info); result != VK_SUCCESS)
        return device().error(result, "vkBeginCommandBuffer", name_);
    return {};
}

Result<void> Commands::end() {
    if (const VkResult result = device().vk().vkEndCommandBuffer(buffer_); result != VK_SUCCESS)
        return device().error(result, "vkEndCommandBuffer", name_);
    return {};
}

void Commands::barrier(VkPipelineStageFlags from, VkAccessFlags writes, VkPipelineStageFlags to, VkAccessFlags uses) {
    VkMemoryBarrier memory{};
    memory.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
    memory.srcAccessMask = writes;
    memory.dstAccessMask = uses;
    device().vk().vkCmdPipelineBarrier(buffer_, from, to, 0, 1, &memory, 0, nullptr, 0, nullptr);
}

CommandBuffer::CommandBuffer() = default;
CommandBuffer::CommandBuffer(CommandBuffer &&) noexcept = default;
CommandBuffer &CommandBuffer::operator=(CommandBuffer &&) noexcept = default;
CommandBuffer::~CommandBuffer() = default;
VkCommandBuffer CommandBuffer::handle() const {
    return impl_->commands->handle();
}
std::uint32_t CommandBuffer::launches() const {
    return static_cast<std::uint32_t>(impl_->barrier_before.size());
}
std::uint32_t CommandBuffer::barriers() const {
    return impl_->barriers;
}
const std::vector<bool> &CommandBuffer::barrier_before() const {
    return impl_->barrier_before;
}

} // namespace ff::gpu
