// The inside of a recorded command buffer, shared by recorder and uploader.
#pragma once

#include "runtime/gpu/descriptors.h"
#include "runtime/gpu/recorder.h"

namespace ff::gpu {

// A command pool with one buffer in it.
class Commands {
  public:
    static Result<std::unique_ptr<Commands>> create(std::shared_ptr<Device> device, std::string_view name);
    ~Commands();
    Commands(const Commands &) = delete;
    Commands &operator=(const Commands &) = delete;

    Result<void> begin(VkCommandBufferUsageFlags usage); // also over what was recorded before
    Result<void> end();
    // Orders what came before in these stages before what follows in those.
    void barrier(VkPipelineStageFlags from, VkAccessFlags writes, VkPipelineStageFlags to, VkAccessFlags uses);
    VkCommandBuffer handle() const { return buffer_; }
    Device &device() const { return *device_; }
    const std::string &name() const { return name_; }

  private:
    Commands(std::shared_ptr<Device> device, std::string_view name) : device_(std::move(device)), name_(name) {}
    std::shared_ptr<Device> device_;
    std::string name_;
    VkCommandPool pool_ = VK_NULL_HANDLE;
    VkCommandBuffer buffer_ = VK_NULL_HANDLE;
};

struct CommandBuffer::Impl {
    explicit Impl(std::shared_ptr<Device> device) : sets(std::move(device)) {}
    std::unique_ptr<Commands> commands;
    DescriptorSets sets;
    std::vector<bool> barrier_before;
    std::uint32_t barriers = 0;
};

} // namespace ff::gpu
