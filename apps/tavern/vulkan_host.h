// The program's Vulkan device, made for drawing, and what firefinch borrows of it.
#pragma once

#include <firefinch/firefinch_vulkan.hpp>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>

struct GLFWwindow;

namespace tavern {

void must(VkResult result, const char *call); // throws std::runtime_error

struct HostOptions {
    bool validate = false;
    std::string device; // a part of a name; empty: the first that can draw to the window
};

class VulkanHost {
  public:
    VulkanHost(GLFWwindow *window, const HostOptions &options);
    ~VulkanHost();
    VulkanHost(const VulkanHost &) = delete;
    VulkanHost &operator=(const VulkanHost &) = delete;

    VkInstance instance() const { return instance_; }
    VkSurfaceKHR surface() const { return surface_; }
    VkPhysicalDevice physical_device() const { return physical_device_; }
    VkDevice device() const { return device_; }
    VkQueue queue() const { return queue_; } // draws and presents
    std::uint32_t queue_family() const { return queue_family_; }
    // Held around whatever uses queue(), where firefinch has the same one.
    std::unique_lock<std::mutex> lock_queue();
    std::string device_name() const;
    std::string lent_queue() const; // in words

    ff_vulkan_device lend(); // valid as long as this

    std::uint32_t memory_type(std::uint32_t allowed, VkMemoryPropertyFlags wanted) const;
    std::uint64_t validation_messages() const { return messages_; }
    std::string first_message() const;

  private:
    static VKAPI_ATTR VkBool32 VKAPI_CALL report(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                 VkDebugUtilsMessageTypeFlagsEXT types,
                                                 const VkDebugUtilsMessengerCallbackDataEXT *data, void *self);
    void create_instance();
    void choose_physical_device(const std::string &name);
    void create_device();
    ff_vulkan_device described() const; // what there is before the device

    bool validate_;
    VkInstance instance_ = VK_NULL_HANDLE;
    VkDebugUtilsMessengerEXT messenger_ = VK_NULL_HANDLE;
    VkSurfaceKHR surface_ = VK_NULL_HANDLE;
    VkPhysicalDevice physical_device_ = VK_NULL_HANDLE;
    VkDevice device_ = VK_NULL_HANDLE;
    VkQueue queue_ = VK_NULL_HANDLE, lent_queue_ = VK_NULL_HANDLE;
    std::uint32_t queue_family_ = 0, lent_family_ = 0;
    std::unique_ptr<firefinch::DeviceRequirements> enabled_;
    std::vector<const char *> extensions_;
    std::mutex queue_mutex_;
    mutable std::mutex message_mutex_;
    std::string first_message_;
    std::atomic<std::uint64_t> messages_{0};
};

} // namespace tavern
