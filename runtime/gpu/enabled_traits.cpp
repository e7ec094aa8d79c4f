// What remains of a device's traits when a host created it.
#include "runtime/gpu/device_features.h"

#include <algorithm>

namespace ff::gpu {

DeviceTraits enabled_traits(DeviceTraits traits, std::uint32_t api_version, const VkPhysicalDeviceFeatures2 *features,
                            std::span<const char *const> extensions) {
    const Features enabled = read_features(features);
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
    keep(traits.buffer_addresses,
         enabled.addresses && has(VK_API_VERSION_1_2, VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME));
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
    if (!enabled.matrix || !enabled.memory_model || !enabled.memory_model_device || !traits.float16 || !known_size ||
        !has(~0U, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME) ||
        !has(VK_API_VERSION_1_2, VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME))
        traits.matrix_shapes.clear();
    return traits;
}

} // namespace ff::gpu
