// Vulkan's instance functions, loaded for each instance: volk's global ones would be shared by all engines of a
// process, and overwritten by whichever instance came last.
#pragma once

#include "runtime/gpu/cooperative_matrix.h"
#include "runtime/gpu/vulkan.h"

#define FF_GPU_INSTANCE_FUNCTIONS(X)                                                                                   \
    X(vkDestroyInstance)                                                                                               \
    X(vkEnumeratePhysicalDevices)                                                                                      \
    X(vkEnumerateDeviceExtensionProperties)                                                                            \
    X(vkGetPhysicalDeviceProperties)                                                                                   \
    X(vkGetPhysicalDeviceProperties2)                                                                                  \
    X(vkGetPhysicalDeviceFeatures2)                                                                                    \
    X(vkGetPhysicalDeviceMemoryProperties)                                                                             \
    X(vkGetPhysicalDeviceMemoryProperties2)                                                                            \
    X(vkGetPhysicalDeviceQueueFamilyProperties)                                                                        \
    X(vkCreateDevice)                                                                                                  \
    X(vkGetDeviceProcAddr)                                                                                             \
    X(vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR)                                                               \
    X(vkCreateDebugUtilsMessengerEXT)                                                                                  \
    X(vkDestroyDebugUtilsMessengerEXT)                                                                                 \
    X(vkSetDebugUtilsObjectNameEXT)                                                                                    \
    X(vkCmdBeginDebugUtilsLabelEXT)                                                                                    \
    X(vkCmdEndDebugUtilsLabelEXT)

namespace ff::gpu {

// The debug-utils functions are null without VK_EXT_debug_utils, that of cooperative matrices where no device has them;
// all others are there on every Vulkan 1.1 instance.
struct InstanceFunctions {
#define FF_GPU_MEMBER(name) PFN_##name name = nullptr;
    FF_GPU_INSTANCE_FUNCTIONS(FF_GPU_MEMBER)
#undef FF_GPU_MEMBER

    void load(VkInstance instance, PFN_vkGetInstanceProcAddr get) {
#define FF_GPU_LOAD(name) name = reinterpret_cast<PFN_##name>(get(instance, #name));
        FF_GPU_INSTANCE_FUNCTIONS(FF_GPU_LOAD)
#undef FF_GPU_LOAD
    }
};

} // namespace ff::gpu

// volk_build.c
extern "C" void ff_gpu_load_device_table(VolkDeviceTable *table, VkDevice device, PFN_vkGetDeviceProcAddr get);
