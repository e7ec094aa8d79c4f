#include "runtime/gpu/descriptors.h"

#include <algorithm>

namespace ff::gpu {
namespace {

constexpr std::uint32_t kSetsInPool = 128, kDescriptorsInPool = 1024;

} // namespace

DescriptorSets::~DescriptorSets() {
    for (const VkDescriptorPool pool : pools_) device_->vk().vkDestroyDescriptorPool(device_->handle(), pool, nullptr);
}

Result<void> DescriptorSets::add_pool(std::uint32_t at_least) {
    VkDescriptorPoolSize size{};
    size.type = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
    size.descriptorCount = std::max(at_least, kDescriptorsInPool);
    VkDescriptorPoolCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_POOL_CREATE_INFO;
    info.maxSets = kSetsInPool;
    info.poolSizeCount = 1;
    info.pPoolSizes = &size;
    VkDescriptorPool pool = VK_NULL_HANDLE;
    const VkResult result = device_->vk().vkCreateDescriptorPool(device_->handle(), &info, nullptr, &pool);
    if (result != VK_SUCCESS) return device_->error(result, "vkCreateDescriptorPool", "launches");
    pools_.push_back(pool);
    sets_left_ = kSetsInPool;
    descriptors_left_ = size.descriptorCount;
    return {};
}

Result<VkDescriptorSet> DescriptorSets::allocate(const Pipeline &pipeline) {
    if (sets_left_ == 0 || descriptors_left_ < pipeline.bindings) FF_TRY(add_pool(pipeline.bindings));
    VkDescriptorSetAllocateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DESCRIPTOR_SET_ALLOCATE_INFO;
    info.descriptorPool = pools_.back();
    info.descriptorSetCount = 1;
    info.pSetLayouts = &pipeline.set_layout;
    VkDescriptorSet set = VK_NULL_HANDLE;
    const VkResult result = device_->vk().vkAllocateDescriptorSets(device_->handle(), &info, &set);
    if (result != VK_SUCCESS) return device_->error(result, "vkAllocateDescriptorSets", pipeline.name);
    --sets_left_;
    descriptors_left_ -= pipeline.bindings;
    return set;
}

Result<VkDescriptorSet> DescriptorSets::get(const Pipeline &pipeline, std::span<const BufferView> buffers) {
    Key key{pipeline.set_layout, {}};
    for (const BufferView &view : buffers) key.second.push_back({view.buffer, view.offset, view.bytes});
    if (const auto found = sets_.find(key); found != sets_.end()) return found->second;

    FF_TRY_ASSIGN(const VkDescriptorSet set, allocate(pipeline));
    std::vector<VkDescriptorBufferInfo> infos(buffers.size());
    std::vector<VkWriteDescriptorSet> writes(buffers.size());
    for (std::size_t i = 0; i < buffers.size(); ++i) {
        infos[i] = {buffers[i].buffer, buffers[i].offset, buffers[i].bytes};
        writes[i] = {};
        writes[i].sType = VK_STRUCTURE_TYPE_WRITE_DESCRIPTOR_SET;
        writes[i].dstSet = set;
        writes[i].dstBinding = static_cast<std::uint32_t>(i);
        writes[i].descriptorCount = 1;
        writes[i].descriptorType = VK_DESCRIPTOR_TYPE_STORAGE_BUFFER;
        writes[i].pBufferInfo = &infos[i];
    }
    device_->vk().vkUpdateDescriptorSets(device_->handle(), static_cast<std::uint32_t>(writes.size()), writes.data(), 0,
                                         nullptr);
    sets_.emplace(std::move(key), set);
    return set;
}

} // namespace ff::gpu
