/* firefinch on a Vulkan device of the program's own. Needs the Vulkan headers; firefinch.h does not.
 *
 *     ff_vulkan_device host = FF_VULKAN_DEVICE_INIT;          what there is before the device
 *     host.instance = instance, host.api_version = VK_API_VERSION_1_2, host.physical_device = physical_device;
 *     ff_device_requirements_create(&wanted, &host, &error);  optional: what to enable in vkCreateDevice
 *     ...                                                     and the rest, after it
 *     ff_engine_options options = FF_ENGINE_OPTIONS_INIT;
 *     options.vulkan_device = &host;
 *     ff_engine_create(&engine, &options, &error);
 */
#ifndef FIREFINCH_VULKAN_H
#define FIREFINCH_VULKAN_H

#include <firefinch/firefinch.h>
#include <vulkan/vulkan.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A piece of device memory from the program's allocator. */
typedef struct ff_vulkan_memory {
    VkDeviceMemory memory;
    VkDeviceSize offset;
    void *mapped; /* host address of `offset`, where one was asked for */
    void *handle; /* the allocator's own */
} ff_vulkan_memory;

/* Memory of exactly this type, of requirements->size bytes, at an offset that is a multiple of requirements->alignment,
 * which stays where it is until it is freed. map: with a host address. The library chooses the type (it has gone
 * through requirements->memoryTypeBits), and tries the next best one when this returns an error. Mapping is the
 * allocator's, since a VkDeviceMemory can be mapped only once and may hold other things as well. name: what it is for. */
typedef VkResult (*ff_vulkan_allocate)(void *payload, const VkMemoryRequirements *requirements, uint32_t memory_type,
                                       VkBool32 map, const char *name, ff_vulkan_memory *out);
typedef void (*ff_vulkan_free)(void *payload, const ff_vulkan_memory *memory);
typedef void (*ff_vulkan_lock)(void *payload);

/* The struct is read during the calls that take it; what its handles and callbacks stand for outlives the engine, which
 * destroys nothing of it and does not wait for the device's other work. Several engines may have one device. */
typedef struct ff_vulkan_device {
    uint32_t struct_size;
    uint32_t api_version;                             /* VkApplicationInfo's, of the instance: VK_API_VERSION_1_1 or later */
    VkInstance instance;
    PFN_vkGetInstanceProcAddr get_instance_proc_addr; /* every other function is asked of this one; NULL: that of the
                                                         machine's Vulkan loader */
    VkPhysicalDevice physical_device;
    VkDevice device;
    VkQueue queue;                                    /* for computing and copying; one of its own if there is one */
    uint32_t queue_family;
    int debug_utils;                                  /* 1: the instance has VK_EXT_debug_utils: objects and launches get
                                                         names */
    /* What the device was created with; what is not told here is not used. */
    const VkPhysicalDeviceFeatures2 *features;        /* VkDeviceCreateInfo's chain, or its pEnabledFeatures in one of
                                                         these; NULL: none */
    const char *const *extensions;                    /* [extension_count] of the device */
    size_t extension_count;
    void *payload;                                    /* of the callbacks */
    /* Around every vkQueueSubmit, on whatever thread the library submits from: those of callers, and one of a model that
     * loads in the background. Both NULL: nobody else uses the queue. The library makes no other call that needs the
     * queue for itself. Do not call the library while holding the lock. */
    ff_vulkan_lock lock, unlock;
    /* Both NULL: vkAllocateMemory. Called by any thread that calls the library. */
    ff_vulkan_allocate allocate;
    ff_vulkan_free free;
} ff_vulkan_device;
#define FF_VULKAN_DEVICE_INIT {sizeof(ff_vulkan_device), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}

/* What the library makes use of on a physical device, if it is enabled. Nothing of it is needed. Immutable. */
typedef struct ff_device_requirements ff_device_requirements;
typedef struct ff_device_requirements_info {
    uint32_t struct_size;
    uint32_t queue_family;                     /* that an engine of its own would compute on */
    const char *const *extensions;             /* [extension_count] that the device has, core ones left out */
    size_t extension_count;
    const VkPhysicalDeviceFeatures2 *features; /* a chain for VkDeviceCreateInfo.pNext */
} ff_device_requirements_info;
#define FF_DEVICE_REQUIREMENTS_INFO_INIT {sizeof(ff_device_requirements_info), 0, 0, 0, 0}

/* Of `host`, what comes before `device` is looked at. Fails with FF_ERROR_ARGUMENT or FF_ERROR_UNSUPPORTED (less than
 * Vulkan 1.1, or nothing that computes). */
FF_API ff_status ff_device_requirements_create(ff_device_requirements **out, const ff_vulkan_device *host,
                                               ff_error *error);
FF_API void ff_device_requirements_destroy(ff_device_requirements *requirements);
FF_API ff_status ff_device_requirements_get(const ff_device_requirements *requirements, ff_device_requirements_info *out,
                                            ff_error *error);
/* For a program with a chain of its own, where a structure must not come twice: switches the wanted features on in those
 * structures it has, collected ones such as VkPhysicalDeviceVulkan12Features among them. *missing (may be NULL) receives
 * how many features found no structure. */
FF_API ff_status ff_device_requirements_enable(const ff_device_requirements *requirements,
                                               VkPhysicalDeviceFeatures2 *chain, uint32_t *missing, ff_error *error);

/* ---- slices among the program's own work (docs/embedding.md) ---------------------------------------------------------- */

typedef struct ff_semaphore_at {
    VkSemaphore semaphore;
    uint64_t value; /* of a timeline semaphore; of a binary one it is not used */
} ff_semaphore_at;

typedef struct ff_slice_order {
    uint32_t struct_size;
    const ff_semaphore_at *wait;   /* [wait_count] before anything of the slice */
    size_t wait_count;
    const ff_semaphore_at *signal; /* [signal_count] after all of it; also where the call had nothing to submit */
    size_t signal_count;
} ff_slice_order;
#define FF_SLICE_ORDER_INIT {sizeof(ff_slice_order), 0, 0, 0, 0}

/* As ff_session_advance, after and before these semaphores. */
FF_API ff_status ff_session_submit(ff_session *session, uint64_t budget_us, const ff_slice_order *order,
                                   ff_slice_progress *out, ff_error *error);

/**
 * What ff_session_advance would submit goes into a command buffer that the program is recording, on a queue of the
 * engine's family and outside a render pass. It is submitted once, and before what later calls for this session record or
 * submit. `out` says the slice's number.
 *
 * First comes a barrier from all commands (memory writes) to compute shaders, transfers and indirect reads, last one from
 * compute shaders and transfers (writes) to all commands and the host: what the program does before and after, in the
 * same queue, needs no barrier of its own on account of the slice. Pipeline, descriptor set 0 and push constants of the
 * compute bind point are changed.
 *
 * Four slices may be unfinished: say with ff_session_retire which have finished, or no more is recorded and no token comes.
 * Fails as ff_session_advance does; what was recorded until then can be submitted or not.
 */
FF_API ff_status ff_session_record(ff_session *session, VkCommandBuffer commands, uint64_t budget_us,
                                   ff_slice_progress *out, ff_error *error);
/* Every command buffer with this run's slices up to `slice` has finished: a fence or a semaphore says so. */
FF_API ff_status ff_session_retire(ff_session *session, uint64_t slice, ff_error *error);

/* What a submission of the program's waits for to come after the session's last submitted slice: the engine's timeline
 * semaphore and a value that is, or will be, reached. Fails with FF_ERROR_UNSUPPORTED where the device has no timeline
 * semaphores. */
FF_API ff_status ff_session_timeline(ff_session *session, ff_semaphore_at *out, ff_error *error);

typedef enum ff_session_data {
    FF_SESSION_LOGITS = 0,      /* float [V], after the last token read */
    FF_SESSION_TOKENS = 1,      /* uint [256]: the produced token number n, from 0, is at n % 256 */
    FF_SESSION_TOKEN_COUNT = 2, /* uint: tokens produced by this run */
    FF_SESSION_HIDDEN = 3       /* float [C]: the residual stream after a layer, of the last token that was read by itself
                                   (as produced ones are); needs ff_session_keep_hidden */
} ff_session_data;

typedef struct ff_buffer_range {
    VkBuffer buffer;     /* of storage and transfer usage, owned by the engine's queue family */
    VkDeviceSize offset; /* a multiple of 4, of FF_SESSION_HIDDEN of 256; bind from minStorageBufferOffsetAlignment's
                            multiple below it */
    VkDeviceSize size;   /* bytes */
} ff_buffer_range;

/* Where a running session's data lies, for shaders that react to it, between its slices. The range is the same until the
 * run is over; its buffer lives as long as the model. layer: of FF_SESSION_HIDDEN. Fails with FF_ERROR_ARGUMENT. */
FF_API ff_status ff_session_buffer(ff_session *session, ff_session_data data, uint32_t layer, ff_buffer_range *out,
                                   ff_error *error);
/* 1: runs that are started from now on keep the residual stream after each layer (a copy of C floats a layer). Fails with
 * FF_ERROR_ARGUMENT while a run is not over. */
FF_API ff_status ff_session_keep_hidden(ff_session *session, int keep, ff_error *error);

#ifdef __cplusplus
}
#endif

#endif
