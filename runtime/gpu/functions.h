// Vulkan's functions, loaded for each instance and each device. Nothing is global, and nothing has the name of a Vulkan
// function: engines of a process do not share pointers, and a host may link its own Vulkan loader beside this library.
#pragma once

#include "runtime/gpu/cooperative_matrix.h"
#include "runtime/gpu/vulkan.h"

#define FF_GPU_GLOBAL_FUNCTIONS(X)                                                                                     \
    X(vkCreateInstance)                                                                                                \
    X(vkEnumerateInstanceExtensionProperties)                                                                          \
    X(vkEnumerateInstanceLayerProperties)                                                                              \
    X(vkEnumerateInstanceVersion)

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

#define FF_GPU_DEVICE_FUNCTIONS(X)                                                                                     \
    X(vkDestroyDevice)                                                                                                 \
    X(vkGetDeviceQueue)                                                                                                \
    X(vkQueueSubmit)                                                                                                   \
    X(vkAllocateMemory)                                                                                                \
    X(vkFreeMemory)                                                                                                    \
    X(vkMapMemory)                                                                                                     \
    X(vkCreateBuffer)                                                                                                  \
    X(vkDestroyBuffer)                                                                                                 \
    X(vkGetBufferMemoryRequirements)                                                                                   \
    X(vkBindBufferMemory)                                                                                              \
    X(vkGetBufferDeviceAddress)                                                                                        \
    X(vkGetBufferDeviceAddressKHR)                                                                                     \
    X(vkCreateFence)                                                                                                   \
    X(vkDestroyFence)                                                                                                  \
    X(vkResetFences)                                                                                                   \
    X(vkGetFenceStatus)                                                                                                \
    X(vkWaitForFences)                                                                                                 \
    X(vkCreateSemaphore)                                                                                               \
    X(vkDestroySemaphore)                                                                                              \
    X(vkWaitSemaphores)                                                                                                \
    X(vkWaitSemaphoresKHR)                                                                                             \
    X(vkGetSemaphoreCounterValue)                                                                                      \
    X(vkGetSemaphoreCounterValueKHR)                                                                                   \
    X(vkCreateQueryPool)                                                                                               \
    X(vkDestroyQueryPool)                                                                                              \
    X(vkGetQueryPoolResults)                                                                                           \
    X(vkCreateShaderModule)                                                                                            \
    X(vkDestroyShaderModule)                                                                                           \
    X(vkCreatePipelineCache)                                                                                           \
    X(vkDestroyPipelineCache)                                                                                          \
    X(vkGetPipelineCacheData)                                                                                          \
    X(vkCreatePipelineLayout)                                                                                          \
    X(vkDestroyPipelineLayout)                                                                                         \
    X(vkCreateComputePipelines)                                                                                        \
    X(vkDestroyPipeline)                                                                                               \
    X(vkCreateDescriptorSetLayout)                                                                                     \
    X(vkDestroyDescriptorSetLayout)                                                                                    \
    X(vkCreateDescriptorPool)                                                                                          \
    X(vkDestroyDescriptorPool)                                                                                         \
    X(vkAllocateDescriptorSets)                                                                                        \
    X(vkUpdateDescriptorSets)                                                                                          \
    X(vkCreateCommandPool)                                                                                             \
    X(vkDestroyCommandPool)                                                                                            \
    X(vkAllocateCommandBuffers)                                                                                        \
    X(vkFreeCommandBuffers)                                                                                            \
    X(vkBeginCommandBuffer)                                                                                            \
    X(vkEndCommandBuffer)                                                                                              \
    X(vkCmdBindPipeline)                                                                                               \
    X(vkCmdBindDescriptorSets)                                                                                         \
    X(vkCmdPushConstants)                                                                                              \
    X(vkCmdDispatch)                                                                                                   \
    X(vkCmdDispatchIndirect)                                                                                           \
    X(vkCmdPipelineBarrier)                                                                                            \
    X(vkCmdCopyBuffer)                                                                                                 \
    X(vkCmdFillBuffer)                                                                                                 \
    X(vkCmdResetQueryPool)                                                                                             \
    X(vkCmdWriteTimestamp)

namespace ff::gpu {

#define FF_GPU_MEMBER(name) PFN_##name name = nullptr;
#define FF_GPU_LOAD(name) name = reinterpret_cast<PFN_##name>(get(owner, #name));

// What there is before an instance. Of a Vulkan 1.0 loader vkEnumerateInstanceVersion is null.
struct GlobalFunctions {
    FF_GPU_GLOBAL_FUNCTIONS(FF_GPU_MEMBER)

    explicit GlobalFunctions(PFN_vkGetInstanceProcAddr get) {
        const VkInstance owner = VK_NULL_HANDLE;
        FF_GPU_GLOBAL_FUNCTIONS(FF_GPU_LOAD)
    }
};

// The debug-utils functions are null without VK_EXT_debug_utils, that of cooperative matrices where no device has them;
// all others are there on every Vulkan 1.1 instance.
struct InstanceFunctions {
    FF_GPU_INSTANCE_FUNCTIONS(FF_GPU_MEMBER)

    void load(VkInstance owner, PFN_vkGetInstanceProcAddr get) { FF_GPU_INSTANCE_FUNCTIONS(FF_GPU_LOAD) }
};

// The semaphore functions are null on devices without timeline semaphores.
struct DeviceFunctions {
    FF_GPU_DEVICE_FUNCTIONS(FF_GPU_MEMBER)

    void load(VkDevice owner, PFN_vkGetDeviceProcAddr get) { FF_GPU_DEVICE_FUNCTIONS(FF_GPU_LOAD) }
};

#undef FF_GPU_MEMBER
#undef FF_GPU_LOAD

// The entry point of this machine's Vulkan loader, which is opened at the first call and never closed; nullptr if there
// is none.
PFN_vkGetInstanceProcAddr system_loader();

} // namespace ff::gpu
