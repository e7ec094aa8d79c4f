// The inside of a recorded command buffer, shared by recorder and uploader.
#pragma once

#include "runtime/gpu/descriptors.h"
#include "runtime/gpu/recorder.h"

namespace ff::gpu {

// A command pool, and the descriptor sets of what is recorded from it. One thread at a time.
class RecordingPool {
  public:
    static Result<std::shared_ptr<RecordingPool>> create(std::shared_ptr<Device> device, std::string_view name);
    ~RecordingPool();
    RecordingPool(const RecordingPool &) = delete;
    RecordingPool &operator=(const RecordingPool &) = delete;

    VkCommandPool handle() const { return pool_; }
    DescriptorSets &sets() { return sets_; }
    Device &device() const { return *device_; }

  private:
    explicit RecordingPool(std::shared_ptr<Device> device) : device_(device), sets_(std::move(device)) {}
    std::shared_ptr<Device> device_;
    VkCommandPool pool_ = VK_NULL_HANDLE;
    DescriptorSets sets_;
};

class Commands {
  public:
    // With a pool of its own.
    static Result<std::unique_ptr<Commands>> create(std::shared_ptr<Device> device, std::string_view name);
    static Result<std::unique_ptr<Commands>> create(std::shared_ptr<RecordingPool> pool, std::string_view name);
    // A command buffer that somebody else owns and is recording: it is neither begun, ended nor freed here.
    static std::unique_ptr<Commands> of_another(std::shared_ptr<RecordingPool> pool, VkCommandBuffer commands,
                                                std::string_view name);
    ~Commands();
    Commands(const Commands &) = delete;
    Commands &operator=(const Commands &) = delete;

    Result<void> begin(VkCommandBufferUsageFlags usage); // also over what was recorded before
    Result<void> end();
    // Orders what came before in these stages before what follows in those.
    void barrier(VkPipelineStageFlags from, VkAccessFlags writes, VkPipelineStageFlags to, VkAccessFlags uses);
    VkCommandBuffer handle() const { return buffer_; }
    bool owned() const { return owned_; }
    Device &device() const { return pool_->device(); }
    DescriptorSets &sets() { return pool_->sets(); }
    const std::string &name() const { return name_; }

  private:
    Commands(std::shared_ptr<RecordingPool> pool, std::string_view name) : pool_(std::move(pool)), name_(name) {}
    std::shared_ptr<RecordingPool> pool_;
    std::string name_;
    VkCommandBuffer buffer_ = VK_NULL_HANDLE;
    bool owned_ = true;
};

struct CommandBuffer::Impl {
    std::unique_ptr<Commands> commands;
    std::vector<bool> barrier_before;
    std::uint32_t barriers = 0;
};

} // namespace ff::gpu
