// Reads a physical device into plain data.
#pragma once

#include "runtime/gpu/functions.h"
#include "runtime/gpu/instance.h"

#include <set>

namespace ff::gpu {

// The queue family all work goes to, and its clock.
struct ComputeFamily {
    std::uint32_t index = 0;
    std::uint32_t timestamp_valid_bits = 0;
};

// Pure: an async compute family where it has timestamps if any has, else the first family that computes.
std::optional<ComputeFamily> choose_compute_family(std::span<const VkQueueFamilyProperties> families,
                                                   bool prefer_graphics);

struct PhysicalDevice {
    DeviceInfo info;
    std::set<std::string, std::less<>> extensions;
    std::vector<VkQueueFamilyProperties> families;
    VkPhysicalDeviceMemoryProperties memory{};
    std::uint32_t api_version = 0; // the lower one of device and instance: what may be used

    bool has(std::string_view extension) const { return extensions.find(extension) != extensions.end(); }
    bool has(std::uint32_t core_version, std::string_view extension) const {
        return api_version >= core_version || has(extension);
    }
};

// What remains of a device's traits when it was created with these features and extensions only. Pure.
DeviceTraits enabled_traits(DeviceTraits traits, std::uint32_t api_version, const VkPhysicalDeviceFeatures2 *features,
                            std::span<const char *const> extensions);

// Fails with unsupported, saying why, for a device the runtime cannot use.
Result<PhysicalDevice> query_device(const InstanceFunctions &vk, VkPhysicalDevice handle,
                                    std::uint32_t instance_version);

} // namespace ff::gpu
