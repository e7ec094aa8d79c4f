// The optional features the runtime makes use of: found in a chain of Vulkan's structures, switched on in one, and made
// into a chain of their own.
#pragma once

#include "runtime/gpu/cooperative_matrix.h"
#include "runtime/gpu/device_query.h"

namespace ff::gpu {

struct Features {
    bool int16 = false, storage16 = false, storage8 = false, float16 = false, int8 = false, timeline = false,
         size_control = false, full_subgroups = false, dot = false, matrix = false, memory_model = false,
         memory_model_device = false, addresses = false;
    friend bool operator==(const Features &, const Features &) = default;
};

// Each may stand in a structure of its own or in the collected ones of Vulkan 1.1 to 1.3: both are read, and what is
// found in neither is off. A null chain has none.
Features read_features(const VkPhysicalDeviceFeatures2 *chain);
// Switches on those of `wanted` that a structure of the chain has a place for; returns those that none has.
Features enable_features(const Features &wanted, VkPhysicalDeviceFeatures2 &chain);

std::uint32_t count(const Features &features); // those that are on

// What a device is to be created with for these traits: a chain of structures, and extensions that are not core in its
// version.
class FeatureChain {
  public:
    FeatureChain(const PhysicalDevice &physical, const DeviceTraits &traits);
    FeatureChain(const FeatureChain &) = delete; // structures point to each other
    FeatureChain &operator=(const FeatureChain &) = delete;

    const Features &features() const { return wanted_; }
    const VkPhysicalDeviceFeatures2 *chain() const { return &core_; }
    const std::vector<const char *> &extensions() const { return extensions_; }

  private:
    static constexpr std::uint32_t kNoCore = ~0U; // an extension in every version of Vulkan

    template <class T>
    void add(bool wanted, std::uint32_t core_version, const char *extension, VkStructureType type, T &structure);

    std::uint32_t api_version_;
    Features wanted_;
    std::vector<const char *> extensions_;
    VkPhysicalDeviceFeatures2 core_{};
    VkPhysicalDevice16BitStorageFeatures storage16_{};
    VkPhysicalDevice8BitStorageFeatures storage8_{};
    VkPhysicalDeviceShaderFloat16Int8Features small_{};
    VkPhysicalDeviceTimelineSemaphoreFeatures timeline_{};
    VkPhysicalDeviceSubgroupSizeControlFeatures sizes_{};
    VkPhysicalDeviceShaderIntegerDotProductFeatures dot_{};
    VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix_{};
    VkPhysicalDeviceVulkanMemoryModelFeatures memory_model_{};
    VkPhysicalDeviceBufferDeviceAddressFeatures addresses_{};
};

} // namespace ff::gpu
