// Counts what the validation layer says.
#pragma once

#include "runtime/base/log.h"
#include "runtime/gpu/vulkan.h"

#include <cstdint>
#include <mutex>
#include <string>

namespace ff::gpu {

// Lives at a fixed address from before vkCreateInstance until after vkDestroyInstance. Any thread may report.
class ValidationLog {
  public:
    explicit ValidationLog(LogFunction log) : log_(std::move(log)) {}
    ValidationLog(const ValidationLog &) = delete;
    ValidationLog &operator=(const ValidationLog &) = delete;

    // For the instance's pNext and for vkCreateDebugUtilsMessengerEXT.
    VkDebugUtilsMessengerCreateInfoEXT messenger();

    std::uint64_t messages() const;
    std::string first() const;

  private:
    static VKAPI_ATTR VkBool32 VKAPI_CALL report(VkDebugUtilsMessageSeverityFlagBitsEXT severity,
                                                 VkDebugUtilsMessageTypeFlagsEXT types,
                                                 const VkDebugUtilsMessengerCallbackDataEXT *data, void *self);
    LogFunction log_;
    mutable std::mutex mutex_;
    std::uint64_t messages_ = 0;
    std::string first_;
};

} // namespace ff::gpu
