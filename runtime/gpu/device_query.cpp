#include "runtime/gpu/device_query.h"

#include "runtime/gpu/names.h"
#include "runtime/gpu/workarounds.h"

#include <fmt/format.h>

#include <algorithm>

namespace ff::gpu {
namespace {

// A pNext chain of structures that live on the stack of its user.
class Chain {
  public:
    template <class Head>
    explicit Chain(Head &head) : last_(&head.pNext) {}
    template <class T>
    void add(bool present, T &structure) {
        if (!present) return;
        *last_ = &structure;
        last_ = &structure.pNext;
    }

  private:
    void **last_;
};

std::string hexadecimal(const std::uint8_t (&bytes)[VK_UUID_SIZE]) {
    std::string out;
    for (const std::uint8_t byte : bytes) out += fmt::format("{:02x}", byte);
    return out;
}

DeviceType type_of(VkPhysicalDeviceType type) {
    switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
        return DeviceType::discrete;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
        return DeviceType::integrated;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
        return DeviceType::virtual_gpu;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
        return DeviceType::software;
    default:
        return DeviceType::other;
    }
}

void read_properties(const InstanceFunctions &vk, VkPhysicalDevice handle, PhysicalDevice &out) {
    VkPhysicalDeviceProperties2 properties{};
    properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
    VkPhysicalDeviceIDProperties id{};
    id.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES;
    VkPhysicalDeviceSubgroupProperties subgroup{};
    subgroup.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES;
    VkPhysicalDeviceMaintenance3Properties maintenance3{};
    maintenance3.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES;
    VkPhysicalDeviceDriverProperties driver{};
    driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
    VkPhysicalDeviceSubgroupSizeControlProperties sizes{};
    sizes.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES;
    VkPhysicalDeviceMaintenance4Properties maintenance4{};
    maintenance4.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_4_PROPERTIES;
    VkPhysicalDeviceShaderIntegerDotProductProperties dot{};
    dot.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_PROPERTIES;

    const bool has_driver = out.has(VK_API_VERSION_1_2, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);
    const bool has_sizes = out.has(VK_API_VERSION_1_3, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME);
    const bool has_maintenance4 = out.has(VK_API_VERSION_1_3, VK_KHR_MAINTENANCE_4_EXTENSION_NAME);
    const bool has_dot = out.has(VK_API_VERSION_1_3, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME);
    Chain chain(properties);
    chain.add(true, id);
    chain.add(true, subgroup);
    chain.add(true, maintenance3);
    chain.add(has_driver, driver);
    chain.add(has_sizes, sizes);
    chain.add(has_maintenance4, maintenance4);
    chain.add(has_dot, dot);
    vk.vkGetPhysicalDeviceProperties2(handle, &properties);

    const VkPhysicalDeviceProperties &core = properties.properties;
    DeviceInfo &info = out.info;
    info.handle = handle;
    info.name = core.deviceName;
    info.driver_name = has_driver ? driver.driverName : "";
    info.driver_info = has_driver ? driver.driverInfo : "";
    info.uuid = hexadecimal(id.deviceUUID);
    info.driver_version = core.driverVersion;
    info.api_version = core.apiVersion;
    info.type = type_of(core.deviceType);

    DeviceTraits &traits = info.traits;
    traits.vendor_id = core.vendorID;
    traits.device_id = core.deviceID;
    traits.driver = has_driver ? driver_name(static_cast<std::uint32_t>(driver.driverID)) : "unknown";

    traits.subgroup_size = std::max(1U, subgroup.subgroupSize);
    traits.subgroup_size_min = traits.subgroup_size_max = traits.subgroup_size;
    if ((subgroup.supportedStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0) {
        traits.subgroup_basic = (subgroup.supportedOperations & VK_SUBGROUP_FEATURE_BASIC_BIT) != 0;
        traits.subgroup_arithmetic = (subgroup.supportedOperations & VK_SUBGROUP_FEATURE_ARITHMETIC_BIT) != 0;
        traits.subgroup_shuffle = (subgroup.supportedOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT) != 0;
        traits.subgroup_clustered = (subgroup.supportedOperations & VK_SUBGROUP_FEATURE_CLUSTERED_BIT) != 0;
    }
    traits.subgroup_size_fixed = has_sizes && sizes.minSubgroupSize == sizes.maxSubgroupSize; // NVK, and no control
    if (has_sizes && (sizes.requiredSubgroupSizeStages & VK_SHADER_STAGE_COMPUTE_BIT) != 0) {
        traits.subgroup_size_control = true; // if the features agree, below
        traits.subgroup_size_min = std::max(1U, sizes.minSubgroupSize);
        traits.subgroup_size_max = std::max(traits.subgroup_size_min, sizes.maxSubgroupSize);
    }
    traits.integer_dot_accelerated = has_dot && dot.integerDotProduct4x8BitPackedSignedAccelerated == VK_TRUE;
    traits.integer_dot_mixed_accelerated =
        has_dot && dot.integerDotProduct4x8BitPackedMixedSignednessAccelerated == VK_TRUE;

    const VkPhysicalDeviceLimits &limits = core.limits;
    traits.timestamp_period_ns = limits.timestampPeriod;
    traits.max_workgroup_invocations = limits.maxComputeWorkGroupInvocations;
    traits.max_workgroup_size_x = limits.maxComputeWorkGroupSize[0];
    traits.max_workgroup_count_x = limits.maxComputeWorkGroupCount[0];
    traits.max_shared_memory_bytes = limits.maxComputeSharedMemorySize;
    traits.max_push_constant_bytes = limits.maxPushConstantsSize;
    traits.max_storage_buffers = std::min({limits.maxPerStageDescriptorStorageBuffers,
                                           limits.maxDescriptorSetStorageBuffers, limits.maxPerStageResources});
    traits.max_storage_buffer_range = limits.maxStorageBufferRange;
    traits.max_allocation_bytes = maintenance3.maxMemoryAllocationSize;
    if (has_maintenance4)
        traits.max_allocation_bytes = std::min<std::uint64_t>(traits.max_allocation_bytes, maintenance4.maxBufferSize);
    // Of f16 weights as many multiply-adds: below a second at 40 (280) G of them a second.
    traits.most_submission_work = 1ULL << (core.deviceType == VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU ? 38 : 35);
    traits.storage_offset_alignment =
        static_cast<std::uint32_t>(std::max<VkDeviceSize>(1, limits.minStorageBufferOffsetAlignment));
}

// Of those listed, the products of float16 that are added up in float32.
std::vector<MatrixShape> read_matrix_shapes(const InstanceFunctions &vk, VkPhysicalDevice handle) {
    if (vk.vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR == nullptr) return {};
    std::uint32_t count = 0;
    if (vk.vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR(handle, &count, nullptr) != VK_SUCCESS) return {};
    VkCooperativeMatrixPropertiesKHR empty{};
    empty.sType = VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_KHR;
    std::vector<VkCooperativeMatrixPropertiesKHR> listed(count, empty);
    if (vk.vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR(handle, &count, listed.data()) != VK_SUCCESS) return {};
    listed.resize(count);
    std::vector<MatrixShape> shapes;
    for (const VkCooperativeMatrixPropertiesKHR &each : listed)
        if (each.scope == VK_SCOPE_SUBGROUP_KHR && each.AType == VK_COMPONENT_TYPE_FLOAT16_KHR &&
            each.BType == VK_COMPONENT_TYPE_FLOAT16_KHR && each.CType == VK_COMPONENT_TYPE_FLOAT32_KHR &&
            each.ResultType == VK_COMPONENT_TYPE_FLOAT32_KHR && each.saturatingAccumulation != VK_TRUE)
            shapes.push_back({each.MSize, each.NSize, each.KSize});
    return shapes;
}

void read_features(const InstanceFunctions &vk, VkPhysicalDevice handle, PhysicalDevice &out) {
    VkPhysicalDeviceFeatures2 features{};
    features.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    VkPhysicalDevice16BitStorageFeatures storage16{};
    storage16.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES;
    VkPhysicalDevice8BitStorageFeatures storage8{};
    storage8.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES;
    VkPhysicalDeviceShaderFloat16Int8Features small{};
    small.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES;
    VkPhysicalDeviceTimelineSemaphoreFeatures timeline{};
    timeline.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES;
    VkPhysicalDeviceSubgroupSizeControlFeatures sizes{};
    sizes.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES;
    VkPhysicalDeviceShaderIntegerDotProductFeatures dot{};
    dot.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES;
    VkPhysicalDeviceVulkanMemoryModelFeatures memory_model{};
    memory_model.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES;
    VkPhysicalDeviceBufferDeviceAddressFeatures addresses{};
    addresses.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES;
    VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix{};
    matrix.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR;

    Chain chain(features);
    chain.add(true, storage16);
    chain.add(out.has(VK_API_VERSION_1_2, VK_KHR_8BIT_STORAGE_EXTENSION_NAME), storage8);
    chain.add(out.has(VK_API_VERSION_1_2, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME), small);
    chain.add(out.has(VK_API_VERSION_1_2, VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME), timeline);
    chain.add(out.has(VK_API_VERSION_1_3, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME), sizes);
    chain.add(out.has(VK_API_VERSION_1_3, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME), dot);
    chain.add(out.has(VK_API_VERSION_1_2, VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME), memory_model);
    chain.add(out.has(VK_API_VERSION_1_2, VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME), addresses);
    chain.add(out.has(VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME), matrix);
    vk.vkGetPhysicalDeviceFeatures2(handle, &features);

    DeviceTraits &traits = out.info.traits;
    traits.storage16 = storage16.storageBuffer16BitAccess == VK_TRUE;
    traits.storage8 = storage8.storageBuffer8BitAccess == VK_TRUE;
    traits.float16 = small.shaderFloat16 == VK_TRUE;
    traits.int8 = small.shaderInt8 == VK_TRUE;
    traits.int16 = features.features.shaderInt16 == VK_TRUE;
    traits.buffer_addresses = addresses.bufferDeviceAddress == VK_TRUE;
    traits.integer_dot_product = dot.shaderIntegerDotProduct == VK_TRUE;
    traits.integer_dot_accelerated = traits.integer_dot_accelerated && traits.integer_dot_product;
    traits.integer_dot_mixed_accelerated = traits.integer_dot_mixed_accelerated && traits.integer_dot_product;
    // SPIR-V with cooperative matrices has Vulkan's memory model, and the other kernels the device's scope.
    if (matrix.cooperativeMatrix == VK_TRUE && memory_model.vulkanMemoryModel == VK_TRUE &&
        memory_model.vulkanMemoryModelDeviceScope == VK_TRUE && traits.float16)
        traits.matrix_shapes = read_matrix_shapes(vk, handle);
    traits.timeline_semaphore = timeline.timelineSemaphore == VK_TRUE;
    traits.memory_budget = out.has(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
    if (sizes.subgroupSizeControl != VK_TRUE || sizes.computeFullSubgroups != VK_TRUE) {
        traits.subgroup_size_control = false;
        traits.subgroup_size_min = traits.subgroup_size_max = traits.subgroup_size;
    }
}

void read_memory(const InstanceFunctions &vk, VkPhysicalDevice handle, PhysicalDevice &out) {
    vk.vkGetPhysicalDeviceMemoryProperties(handle, &out.memory);
    std::uint32_t largest = 0;
    for (std::uint32_t i = 0; i < out.memory.memoryHeapCount; ++i) {
        const VkMemoryHeap &heap = out.memory.memoryHeaps[i];
        if ((heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) == 0 || heap.size <= out.info.memory_bytes) continue;
        out.info.memory_bytes = heap.size;
        largest = i;
    }
    // A discrete card with a resizable BAR shows host-visible memory too, but the host reaches it over the bus, and
    // with a small BAR only a part of it: such cards are staged. Unified is what shares the host's memory.
    const bool shares = out.info.type == DeviceType::integrated || out.info.type == DeviceType::software;
    const VkMemoryPropertyFlags wanted = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT | VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT |
                                         VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
    for (std::uint32_t i = 0; i < out.memory.memoryTypeCount; ++i) {
        const VkMemoryType &type = out.memory.memoryTypes[i];
        if (shares && type.heapIndex == largest && (type.propertyFlags & wanted) == wanted)
            out.info.traits.unified_memory = true;
    }
}

Result<void> read_extensions(const InstanceFunctions &vk, VkPhysicalDevice handle, PhysicalDevice &out) {
    std::vector<VkExtensionProperties> list;
    std::uint32_t count = 0;
    VkResult result = VK_INCOMPLETE;
    while (result == VK_INCOMPLETE) { // the list may grow between the two calls
        result = vk.vkEnumerateDeviceExtensionProperties(handle, nullptr, &count, nullptr);
        if (result != VK_SUCCESS) break;
        list.resize(count);
        result = vk.vkEnumerateDeviceExtensionProperties(handle, nullptr, &count, list.data());
    }
    if (result != VK_SUCCESS)
        return Error{Status::unsupported,
                     fmt::format("its extensions cannot be listed: vkEnumerateDeviceExtensionProperties says {}",
                                 name_of(result))};
    list.resize(count);
    for (const VkExtensionProperties &extension : list) out.extensions.emplace(extension.extensionName);
    return {};
}

} // namespace

std::optional<ComputeFamily> choose_compute_family(std::span<const VkQueueFamilyProperties> families,
                                                   bool prefer_graphics) {
    // A family that computes but does not draw runs beside the desktop's and the game's drawing instead of in line
    // with it: generation then does not freeze the compositor (llama.cpp #29109). It is taken only if profiling does
    // not suffer: it must have timestamps unless no family has. AMD's drawing queue is at times a little faster for
    // decode (llama.cpp PR 20551), hence the option.
    std::optional<ComputeFamily> drawing, async;
    for (std::uint32_t i = 0; i < families.size(); ++i) {
        const VkQueueFamilyProperties &family = families[i];
        if ((family.queueFlags & VK_QUEUE_COMPUTE_BIT) == 0 || family.queueCount == 0) continue;
        std::optional<ComputeFamily> &place = (family.queueFlags & VK_QUEUE_GRAPHICS_BIT) != 0 ? drawing : async;
        if (!place) place = ComputeFamily{i, family.timestampValidBits};
    }
    if (!drawing) return async;
    if (!async || prefer_graphics) return drawing;
    return async->timestamp_valid_bits != 0 || drawing->timestamp_valid_bits == 0 ? async : drawing;
}

Result<PhysicalDevice> query_device(const InstanceFunctions &vk, VkPhysicalDevice handle,
                                    std::uint32_t instance_version) {
    PhysicalDevice out;
    VkPhysicalDeviceProperties core{};
    vk.vkGetPhysicalDeviceProperties(handle, &core);
    out.info.name = core.deviceName;
    if (core.apiVersion < VK_API_VERSION_1_1)
        return Error{Status::unsupported, fmt::format("{} is left out: its driver is Vulkan {}, 1.1 is needed",
                                                      core.deviceName, version_text(core.apiVersion))};
    out.api_version = std::min(core.apiVersion, instance_version);

    std::uint32_t count = 0;
    vk.vkGetPhysicalDeviceQueueFamilyProperties(handle, &count, nullptr);
    out.families.resize(count);
    vk.vkGetPhysicalDeviceQueueFamilyProperties(handle, &count, out.families.data());
    const auto family = choose_compute_family(out.families, /*prefer_graphics=*/false);
    if (!family)
        return Error{Status::unsupported, fmt::format("{} is left out: it has no compute queue", core.deviceName)};
    if (auto listed = read_extensions(vk, handle, out); !listed)
        return Error{Status::unsupported, fmt::format("{} is left out: {}", core.deviceName, listed.error().message)};

    read_properties(vk, handle, out);
    read_features(vk, handle, out);
    read_memory(vk, handle, out);
    out.info.traits.timestamp_valid_bits = family->timestamp_valid_bits;
    apply_workarounds(out.info);
    return out;
}

} // namespace ff::gpu
