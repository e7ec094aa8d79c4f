// A program that has a Vulkan device of its own, validated, and lends it to firefinch: linked with the machine's Vulkan
// loader, as programs are.
#pragma once

#include <firefinch/firefinch_vulkan.hpp>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace ff::test {

enum class Enable { nothing, everything };

class HostDevice {
  public:
    // `nothing`: Vulkan 1.1 and no optional feature or extension.
    explicit HostDevice(Enable enable);
    ~HostDevice(); // nothing may be allocated any more
    HostDevice(const HostDevice &) = delete;
    HostDevice &operator=(const HostDevice &) = delete;

    // With lock and allocator. Valid as long as this.
    ff_vulkan_device lend();
    // The same, but after so many submissions vkQueueSubmit says that the device is lost. One at a time in a process.
    ff_vulkan_device lend_losing(int submissions);
    void submit_nothing(); // to the lent queue, under the lock; waits for it

    std::size_t allocations() const; // that the allocator has given and not got back
    std::uint64_t allocated_bytes() const;
    std::uint64_t locked() const { return locked_; }
    std::string complaints() const; // of the validation layers

  private:
    struct Block {
        std::uint64_t bytes;
        bool mapped;
    };
    static VKAPI_ATTR VkBool32 VKAPI_CALL report(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                 VkDebugUtilsMessageTypeFlagsEXT types,
                                                 const VkDebugUtilsMessengerCallbackDataEXT *data, void *self);
    static VkResult allocate(void *self, const VkMemoryRequirements *requirements, std::uint32_t type, VkBool32 map,
                             const char *name, ff_vulkan_memory *out);
    static void free(void *self, const ff_vulkan_memory *memory);
    void create_instance();
    void choose_physical_device();
    void create_device(Enable enable);

    std::uint32_t api_version_ = 0, family_ = 0;
    VkInstance instance_ = VK_NULL_HANDLE;
    VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
    VkPhysicalDevice physical_ = VK_NULL_HANDLE;
    VkDevice device_ = VK_NULL_HANDLE;
    VkQueue queue_ = VK_NULL_HANDLE;
    std::unique_ptr<firefinch::DeviceRequirements> enabled_; // none with Enable::nothing

    std::mutex queue_mutex_;
    std::atomic<std::uint64_t> locked_{0};
    mutable std::mutex mutex_; // guards what follows
    std::map<VkDeviceMemory, Block> blocks_;
    std::string complaints_;
};

// Options for an engine on it, with the profile that the environment asks for.
ff_engine_options engine_options_of(const ff_vulkan_device &lent);

} // namespace ff::test
