// What a host's device was created with. Features may come as a structure each or in the collected ones of Vulkan 1.1
// to 1.3: both are read, and what is found in neither is off.
#include "runtime/gpu/cooperative_matrix.h"
#include "runtime/gpu/device_query.h"

#include <algorithm>

namespace ff::gpu {
namespace {

struct Enabled {
    bool int16 = false, storage16 = false, storage8 = false, float16 = false, int8 = false, timeline = false,
         address = false, size_control = false, full_subgroups = false, dot = false, matrix = false,
         memory_model = false;
};

template <class T>
const T &as(const VkBaseInStructure *structure) {
    return *reinterpret_cast<const T *>(structure);
}

void read(const VkBaseInStructure *structure, Enabled &out) {
    const auto set = [](bool &flag, VkBool32 value) { flag = flag || value == VK_TRUE; };
    // No enumerator of older headers, so no case below.
    if (structure->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR)
        set(out.matrix, as<VkPhysicalDeviceCooperativeMatrixFeaturesKHR>(structure).cooperativeMatrix);
    switch (structure->sType) {
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES:
        set(out.storage16, as<VkPhysicalDevice16BitStorageFeatures>(structure).storageBuffer16BitAccess);
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES:
        set(out.storage16, as<VkPhysicalDeviceVulkan11Features>(structure).storageBuffer16BitAccess);
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES:
        set(out.storage8, as<VkPhysicalDevice8BitStorageFeatures>(structure).storageBuffer8BitAccess);
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES:
        set(out.float16, as<VkPhysicalDeviceShaderFloat16Int8Features>(structure).shaderFloat16);
        set(out.int8, as<VkPhysicalDeviceShaderFloat16Int8Features>(structure).shaderInt8);
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES:
        set(out.timeline, as<VkPhysicalDeviceTimelineSemaphoreFeatures>(structure).timelineSemaphore);
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES:
        set(out.address, as<VkPhysicalDeviceBufferDeviceAddressFeatures>(structure).bufferDeviceAddress);
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES: {
        const auto &all = as<VkPhysicalDeviceVulkan12Features>(structure);
        set(out.storage8, all.storageBuffer8BitAccess);
        set(out.float16, all.shaderFloat16);
        set(out.int8, all.shaderInt8);
        set(out.timeline, all.timelineSemaphore);
        set(out.address, all.bufferDeviceAddress);
        set(out.memory_model, all.vulkanMemoryModel);
        break;
    }
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES:
        set(out.size_control, as<VkPhysicalDeviceSubgroupSizeControlFeatures>(structure).subgroupSizeControl);
        set(out.full_subgroups, as<VkPhysicalDeviceSubgroupSizeControlFeatures>(structure).computeFullSubgroups);
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES:
        set(out.dot, as<VkPhysicalDeviceShaderIntegerDotProductFeatures>(structure).shaderIntegerDotProduct);
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES:
        set(out.memory_model, as<VkPhysicalDeviceVulkanMemoryModelFeatures>(structure).vulkanMemoryModel);
        break;
    case VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES: {
        const auto &all = as<VkPhysicalDeviceVulkan13Features>(structure);
        set(out.size_control, all.subgroupSizeControl);
        set(out.full_subgroups, all.computeFullSubgroups);
        set(out.dot, all.shaderIntegerDotProduct);
        break;
    }
    default:
        break;
    }
}

} // namespace

DeviceTraits enabled_traits(DeviceTraits traits, std::uint32_t api_version, const VkPhysicalDeviceFeatures2 *features,
                            std::span<const char *const> extensions) {
    Enabled enabled;
    if (features != nullptr) {
        enabled.int16 = features->features.shaderInt16 == VK_TRUE;
        for (const auto *each = static_cast<const VkBaseInStructure *>(features->pNext); each != nullptr;
             each = each->pNext)
            read(each, enabled);
    }
    const auto has = [&](std::uint32_t core_version, std::string_view name) {
        return api_version >= core_version ||
               std::any_of(extensions.begin(), extensions.end(), [&](const char *each) { return name == each; });
    };
    const auto keep = [](bool &trait, bool on) { trait = trait && on; };
    keep(traits.int16, enabled.int16);
    keep(traits.storage16, enabled.storage16);
    keep(traits.storage8, enabled.storage8 && has(VK_API_VERSION_1_2, VK_KHR_8BIT_STORAGE_EXTENSION_NAME));
    const bool small = has(VK_API_VERSION_1_2, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME);
    keep(traits.float16, enabled.float16 && small);
    keep(traits.int8, enabled.int8 && small);
    keep(traits.timeline_semaphore,
         enabled.timeline && has(VK_API_VERSION_1_2, VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME));
    keep(traits.buffer_device_address,
         enabled.address && has(VK_API_VERSION_1_2, VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME));
    keep(traits.integer_dot_product,
         enabled.dot && has(VK_API_VERSION_1_3, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME));
    keep(traits.integer_dot_accelerated, traits.integer_dot_product);
    keep(traits.integer_dot_mixed_accelerated, traits.integer_dot_product);
    // Asked of the physical device, but only an enabled extension may be asked.
    keep(traits.memory_budget, has(~0U, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME));
    const bool sizes = enabled.size_control && enabled.full_subgroups &&
                       has(VK_API_VERSION_1_3, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
    if (traits.subgroup_size_control && !sizes) {
        traits.subgroup_size_control = false;
        traits.subgroup_size_min = traits.subgroup_size_max = traits.subgroup_size;
    }
    const bool known_size = traits.subgroup_size_control || traits.subgroup_size_fixed;
    if (!enabled.matrix || !enabled.memory_model || !traits.float16 || !known_size ||
        !has(~0U, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME) ||
        !has(VK_API_VERSION_1_2, VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME))
        traits.matrix_shapes.clear();
    return traits;
}

} // namespace ff::gpu
