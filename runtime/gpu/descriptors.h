// Descriptor sets that are written once and never change.
#pragma once

#include "runtime/gpu/memory.h"
#include "runtime/gpu/pipeline.h"

#include <map>

namespace ff::gpu {

// Grows by pools; launches that bind the same buffers under the same layout share a set.
class DescriptorSets {
  public:
    explicit DescriptorSets(std::shared_ptr<Device> device) : device_(std::move(device)) {}
    ~DescriptorSets();
    DescriptorSets(const DescriptorSets &) = delete;
    DescriptorSets &operator=(const DescriptorSets &) = delete;

    Result<VkDescriptorSet> get(const Pipeline &pipeline, std::span<const BufferView> buffers);

  private:
    struct Range {
        VkBuffer buffer;
        std::uint64_t offset, bytes;
        friend auto operator<=>(const Range &, const Range &) = default;
    };
    using Key = std::pair<VkDescriptorSetLayout, std::vector<Range>>;

    Result<void> add_pool(std::uint32_t at_least);
    Result<VkDescriptorSet> allocate(const Pipeline &pipeline);

    std::shared_ptr<Device> device_;
    std::vector<VkDescriptorPool> pools_; // the last one has room
    std::uint32_t sets_left_ = 0, descriptors_left_ = 0;
    std::map<Key, VkDescriptorSet> sets_;
};

} // namespace ff::gpu
