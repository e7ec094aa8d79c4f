#include "runtime/gpu/device_features.h"

#include <algorithm>
#include <cstddef>
#include <cstring>

namespace ff::gpu {
namespace {

// Where Vulkan keeps a feature: once in a structure of its own, mostly once more in a collected one.
struct Place {
    bool Features::*feature;
    VkStructureType type;
    std::size_t offset; // of a VkBool32
};
constexpr Place kPlaces[] = {
    {&Features::int16, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2,
     offsetof(VkPhysicalDeviceFeatures2, features) + offsetof(VkPhysicalDeviceFeatures, shaderInt16)},
    {&Features::storage16, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES,
     offsetof(VkPhysicalDevice16BitStorageFeatures, storageBuffer16BitAccess)},
    {&Features::storage16, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES,
     offsetof(VkPhysicalDeviceVulkan11Features, storageBuffer16BitAccess)},
    {&Features::storage8, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES,
     offsetof(VkPhysicalDevice8BitStorageFeatures, storageBuffer8BitAccess)},
    {&Features::storage8, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
     offsetof(VkPhysicalDeviceVulkan12Features, storageBuffer8BitAccess)},
    {&Features::float16, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES,
     offsetof(VkPhysicalDeviceShaderFloat16Int8Features, shaderFloat16)},
    {&Features::float16, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
     offsetof(VkPhysicalDeviceVulkan12Features, shaderFloat16)},
    {&Features::int8, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES,
     offsetof(VkPhysicalDeviceShaderFloat16Int8Features, shaderInt8)},
    {&Features::int8, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
     offsetof(VkPhysicalDeviceVulkan12Features, shaderInt8)},
    {&Features::timeline, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES,
     offsetof(VkPhysicalDeviceTimelineSemaphoreFeatures, timelineSemaphore)},
    {&Features::timeline, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
     offsetof(VkPhysicalDeviceVulkan12Features, timelineSemaphore)},
    {&Features::addresses, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES,
     offsetof(VkPhysicalDeviceBufferDeviceAddressFeatures, bufferDeviceAddress)},
    {&Features::addresses, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
     offsetof(VkPhysicalDeviceVulkan12Features, bufferDeviceAddress)},
    {&Features::memory_model, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES,
     offsetof(VkPhysicalDeviceVulkanMemoryModelFeatures, vulkanMemoryModel)},
    {&Features::memory_model, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
     offsetof(VkPhysicalDeviceVulkan12Features, vulkanMemoryModel)},
    {&Features::memory_model_device, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES,
     offsetof(VkPhysicalDeviceVulkanMemoryModelFeatures, vulkanMemoryModelDeviceScope)},
    {&Features::memory_model_device, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES,
     offsetof(VkPhysicalDeviceVulkan12Features, vulkanMemoryModelDeviceScope)},
    {&Features::size_control, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
     offsetof(VkPhysicalDeviceSubgroupSizeControlFeatures, subgroupSizeControl)},
    {&Features::size_control, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
     offsetof(VkPhysicalDeviceVulkan13Features, subgroupSizeControl)},
    {&Features::full_subgroups, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES,
     offsetof(VkPhysicalDeviceSubgroupSizeControlFeatures, computeFullSubgroups)},
    {&Features::full_subgroups, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
     offsetof(VkPhysicalDeviceVulkan13Features, computeFullSubgroups)},
    {&Features::dot, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES,
     offsetof(VkPhysicalDeviceShaderIntegerDotProductFeatures, shaderIntegerDotProduct)},
    {&Features::dot, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES,
     offsetof(VkPhysicalDeviceVulkan13Features, shaderIntegerDotProduct)},
    {&Features::matrix, VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR,
     offsetof(VkPhysicalDeviceCooperativeMatrixFeaturesKHR, cooperativeMatrix)},
};

} // namespace

Features read_features(const VkPhysicalDeviceFeatures2 *chain) {
    Features found;
    for (auto each = reinterpret_cast<const VkBaseInStructure *>(chain); each != nullptr; each = each->pNext)
        for (const Place &place : kPlaces) {
            if (place.type != each->sType) continue;
            VkBool32 on = VK_FALSE;
            std::memcpy(&on, reinterpret_cast<const std::byte *>(each) + place.offset, sizeof on);
            found.*place.feature = found.*place.feature || on == VK_TRUE;
        }
    return found;
}

Features enable_features(const Features &wanted, VkPhysicalDeviceFeatures2 &chain) {
    Features missing = wanted;
    for (auto *each = reinterpret_cast<VkBaseOutStructure *>(&chain); each != nullptr; each = each->pNext)
        for (const Place &place : kPlaces) {
            if (place.type != each->sType || !(wanted.*place.feature)) continue;
            const VkBool32 on = VK_TRUE;
            std::memcpy(reinterpret_cast<std::byte *>(each) + place.offset, &on, sizeof on);
            missing.*place.feature = false;
        }
    return missing;
}

std::uint32_t count(const Features &features) {
    std::vector<bool Features::*> seen;
    for (const Place &place : kPlaces)
        if (features.*place.feature && std::find(seen.begin(), seen.end(), place.feature) == seen.end())
            seen.push_back(place.feature);
    return static_cast<std::uint32_t>(seen.size());
}

template <class T>
void FeatureChain::add(bool wanted, std::uint32_t core_version, const char *extension, VkStructureType type,
                       T &structure) {
    if (!wanted) return;
    structure.sType = type;
    structure.pNext = core_.pNext;
    core_.pNext = &structure;
    if (api_version_ < core_version) extensions_.push_back(extension);
}

FeatureChain::FeatureChain(const PhysicalDevice &physical, const DeviceTraits &traits)
    : api_version_(physical.api_version) {
    // robustBufferAccess stays off: it costs a bounds check a load, and kernels keep to their buffers.
    core_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    wanted_.int16 = traits.int16;
    wanted_.storage16 = traits.storage16;
    wanted_.storage8 = traits.storage8;
    wanted_.float16 = traits.float16;
    wanted_.int8 = traits.int8;
    wanted_.timeline = traits.timeline_semaphore;
    wanted_.size_control = wanted_.full_subgroups = traits.subgroup_size_control;
    wanted_.dot = traits.integer_dot_product;
    // SPIR-V with matrices has Vulkan's memory model; where that is on, atomics and barriers of the device's scope,
    // which other kernels have, are a feature too.
    wanted_.matrix = wanted_.memory_model = wanted_.memory_model_device = !traits.matrix_shapes.empty();
    wanted_.addresses = weights_by_address(traits);

    add(wanted_.storage16, VK_API_VERSION_1_1, VK_KHR_16BIT_STORAGE_EXTENSION_NAME,
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES, storage16_);
    add(wanted_.storage8, VK_API_VERSION_1_2, VK_KHR_8BIT_STORAGE_EXTENSION_NAME,
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES, storage8_);
    add(wanted_.float16 || wanted_.int8, VK_API_VERSION_1_2, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME,
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES, small_);
    add(wanted_.timeline, VK_API_VERSION_1_2, VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME,
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES, timeline_);
    add(wanted_.size_control, VK_API_VERSION_1_3, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME,
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES, sizes_);
    add(wanted_.dot, VK_API_VERSION_1_3, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME,
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES, dot_);
    add(wanted_.matrix, kNoCore, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME,
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR, matrix_);
    add(wanted_.memory_model, VK_API_VERSION_1_2, VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME,
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES, memory_model_);
    add(wanted_.addresses, VK_API_VERSION_1_2, VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME,
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES, addresses_);
    enable_features(wanted_, core_);
    if (traits.memory_budget) extensions_.push_back(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
    // A device that has it must have it enabled; the name stands in a header of beta extensions.
    if (physical.has("VK_KHR_portability_subset")) extensions_.push_back("VK_KHR_portability_subset");
}

} // namespace ff::gpu
