// A logical device with one compute queue (and a transfer queue where there is one of its own).
#pragma once

#include "runtime/gpu/functions.h"
#include "runtime/gpu/instance.h"

#include <array>
#include <functional>

namespace ff::gpu {

struct DeviceOptions {
    std::string profile = "native";
    std::uint64_t memory_budget_bytes = 0;        // hard limit on device memory; 0: what the device reports free
    void (*mask)(DeviceTraits &traits) = nullptr; // after the profile; for tests that lower a single limit
    std::vector<std::string> denied{};            // DeviceTraits::denied
    std::vector<DeviceTraits::Tuned> tuned{};     // DeviceTraits::tuned
    bool prefer_graphics_queue = false;           // instead of an async compute queue, where there are both
    bool low_priority = false;                    // yield to the desktop and games, where the driver knows priorities
};

// A piece of device memory that a buffer lies in.
struct MemoryBlock {
    VkDeviceMemory memory = VK_NULL_HANDLE;
    VkDeviceSize offset = 0;
    std::byte *mapped = nullptr; // host address of `offset`, where one was asked for
    void *handle = nullptr;      // the allocator's own
};

// Device memory out of the hands of the program around us, which may keep large pieces and cut them up. A piece may be
// mapped only once, so mapping is the allocator's too. Called from any thread of ours.
struct HostAllocator {
    // Memory of exactly this type that fulfils the requirements; `map`: with a host address.
    std::function<VkResult(const VkMemoryRequirements &requirements, std::uint32_t type, bool map, const char *name,
                           MemoryBlock &out)>
        allocate{};
    std::function<void(const MemoryBlock &block)> free{};
};

// A device and queue that belong to the program around us; they outlive the Device and are not destroyed with it.
struct HostDevice {
    VkPhysicalDevice physical = VK_NULL_HANDLE;
    VkDevice handle = VK_NULL_HANDLE;
    VkQueue queue = VK_NULL_HANDLE; // computes
    std::uint32_t queue_family = 0;
    // What the device was made with, read during adopt() only: VkDeviceCreateInfo's features (its pEnabledFeatures
    // wrapped, or the chain itself) and extensions. What is not in them counts as not there.
    const VkPhysicalDeviceFeatures2 *features = nullptr;
    std::span<const char *const> extensions{};
    // Called around every vkQueueSubmit, from any thread of ours; empty if the queue is ours alone.
    std::function<void()> lock{}, unlock{};
    HostAllocator allocator{}; // empty: vkAllocateMemory
};

class Device {
  public:
    static Result<std::shared_ptr<Device>> create(std::shared_ptr<Instance> instance, std::size_t index,
                                                  const DeviceOptions &options);
    static Result<std::shared_ptr<Device>> adopt(std::shared_ptr<Instance> instance, const HostDevice &host,
                                                 const DeviceOptions &options);
    // A device that is not here, for plans of what it would run: its buffers are names without memory, what is uploaded goes
    // nowhere. Nothing can be recorded, compiled or submitted.
    static std::shared_ptr<Device> imagine(const DeviceInfo &info);
    ~Device();
    Device(const Device &) = delete;
    Device &operator=(const Device &) = delete;

    bool imagined() const;
    std::size_t index() const; // in the instance's list
    const DeviceInfo &info() const;
    const DeviceTraits &traits() const; // after profile and mask: what the rest of the runtime may use
    Instance &instance() const;
    VkDevice handle() const;
    VkPhysicalDevice physical() const;
    std::uint32_t api_version() const; // what may be used: the lower one of device and instance
    const VkPhysicalDeviceMemoryProperties &memory_properties() const;
    const DeviceFunctions &vk() const;

    VkQueue compute_queue() const;
    std::uint32_t compute_family() const;

    // Debug name of any object; does nothing without VK_EXT_debug_utils.
    void set_name(VkObjectType type, std::uint64_t handle, std::string_view name) const;
    template <class Handle>
    void set_name(VkObjectType type, Handle handle, std::string_view name) const {
        set_name(type, reinterpret_cast<std::uint64_t>(handle), name);
    }
    void begin_label(VkCommandBuffer commands, std::string_view label) const;
    void end_label(VkCommandBuffer commands) const;

    // vkQueueSubmit, one thread at a time and under the host's lock.
    VkResult submit(std::span<const VkSubmitInfo> submits, VkFence fence) const;

    // Fails with device_lost once a call has said so: what needs no call of its own must not seem to work.
    Result<void> check_not_lost() const;

    // Free bytes of device memory: from VK_EXT_memory_budget, else heap size less our own use; never above the budget.
    std::uint64_t free_memory_bytes() const;
    std::uint64_t allocated_bytes() const;  // device memory held now by this Device's buffers
    std::uint32_t allocation_count() const; // 0 after everything is destroyed
    // Fails with out_of_device_memory: "<what> needs 5.9 GB, <device> has 3.8 GB free".
    Result<void> check_memory(std::string_view what, std::uint64_t bytes) const;

    // A VkResult as a sentence: the call, the object's name, the result's name; device_lost and out-of-memory keep
    // their own status.
    Error error(VkResult result, std::string_view call, std::string_view object) const;

  private:
    friend class Buffer;
    Device();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace ff::gpu
