#include "runtime/gpu/command_buffer.h"

namespace ff::gpu {

Result<std::unique_ptr<Commands>> Commands::create(std::shared_ptr<Device> device, std::string_view name) {
    std::unique_ptr<Commands> out(new Commands(std::move(device), name));
    const Device &owner = out->device();
    VkCommandPoolCreateInfo pool{};
    pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    pool.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
    pool.queueFamilyIndex = owner.compute_family();
    VkResult result = owner.vk().vkCreateCommandPool(owner.handle(), &pool, nullptr, &out->pool_);
    if (result != VK_SUCCESS) {
        out->pool_ = VK_NULL_HANDLE;
        return owner.error(result, "vkCreateCommandPool", name);
    }
    VkCommandBufferAllocateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    info.commandPool = out->pool_;
    info.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
    info.commandBufferCount = 1;
    result = owner.vk().vkAllocateCommandBuffers(owner.handle(), &info, &out->buffer_);
    if (result != VK_SUCCESS) return owner.error(result, "vkAllocateCommandBuffers", name);
    owner.set_name(VK_OBJECT_TYPE_COMMAND_BUFFER, out->buffer_, name);
    return out;
}

Commands::~Commands() {
    if (pool_ != VK_NULL_HANDLE) device_->vk().vkDestroyCommandPool(device_->handle(), pool_, nullptr);
}

Result<void> Commands::begin(VkCommandBufferUsageFlags usage) {
    VkCommandBufferBeginInfo info{};
    info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
    info.flags = usage;
    if (const VkResult result = device_->vk().vkBeginCommandBuffer(buffer_, &info); result != VK_SUCCESS)
        return device_->error(result, "vkBeginCommandBuffer", name_);
    return {};
}

Result<void> Commands::end() {
    if (const VkResult result = device_->vk().vkEndCommandBuffer(buffer_); result != VK_SUCCESS)
        return device_->error(result, "vkEndCommandBuffer", name_);
    return {};
}

void Commands::barrier(VkPipelineStageFlags from, VkAccessFlags writes, VkPipelineStageFlags to, VkAccessFlags uses) {
    VkMemoryBarrier memory{};
    memory.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
    memory.srcAccessMask = writes;
    memory.dstAccessMask = uses;
    device_->vk().vkCmdPipelineBarrier(buffer_, from, to, 0, 1, &memory, 0, nullptr, 0, nullptr);
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
