// The program's own Vulkan device: what it told of it, and what it had better enable.
#include "runtime/api/objects.h"

#include "runtime/gpu/device_features.h"
#include "runtime/include/firefinch/firefinch_vulkan.h"

using namespace ff;

struct ff_device_requirements {
    ff_device_requirements(gpu::PhysicalDevice device, std::uint32_t family)
        : physical(std::move(device)), chain(physical, physical.info.traits), queue_family(family) {}
    gpu::PhysicalDevice physical;
    gpu::FeatureChain chain;
    std::uint32_t queue_family;
};

namespace {

gpu::HostInstance instance_of(const ff_vulkan_device &given) {
    return {.handle = given.instance,
            .api_version = given.api_version,
            .debug_utils = given.debug_utils != 0,
            .get_instance_proc_addr = given.get_instance_proc_addr};
}

gpu::HostAllocator allocator_of(const ff_vulkan_device &given) {
    if (!given.allocate) return {};
    return {.allocate =
                [allocate = given.allocate, payload = given.payload](const VkMemoryRequirements &requirements,
                                                                     std::uint32_t type, bool map, const char *name,
                                                                     gpu::MemoryBlock &out) {
                    ff_vulkan_memory memory{};
                    const VkResult result =
                        allocate(payload, &requirements, type, map ? VK_TRUE : VK_FALSE, name, &memory);
                    out = {memory.memory, memory.offset, static_cast<std::byte *>(memory.mapped), memory.handle};
                    return result;
                },
            .free =
                [release = given.free, payload = given.payload](const gpu::MemoryBlock &block) {
                    const ff_vulkan_memory memory{block.memory, block.offset, block.mapped, block.handle};
                    release(payload, &memory);
                }};
}

} // namespace

Result<engine::HostVulkan> api::host_vulkan(const ff_vulkan_device &caller) {
    const ff_vulkan_device given = from_caller(&caller, ff_vulkan_device{});
    const auto one_alone = [](const void *a, const void *b) { return (a == nullptr) != (b == nullptr); };
    if (one_alone(reinterpret_cast<const void *>(given.lock), reinterpret_cast<const void *>(given.unlock)) ||
        one_alone(reinterpret_cast<const void *>(given.allocate), reinterpret_cast<const void *>(given.free)))
        return Error{Status::argument,
                     "ff_vulkan_device: lock and unlock come together or not at all, as do allocate and free"};
    if (given.extension_count && !given.extensions) return null_argument("ff_vulkan_device.extensions");
    engine::HostVulkan host;
    host.instance = instance_of(given);
    host.device.physical = given.physical_device;
    host.device.handle = given.device;
    host.device.queue = given.queue;
    host.device.queue_family = given.queue_family;
    host.device.features = given.features;
    host.device.extensions = {given.extensions, given.extension_count};
    if (given.lock) {
        host.device.lock = [lock = given.lock, payload = given.payload] { lock(payload); };
        host.device.unlock = [unlock = given.unlock, payload = given.payload] { unlock(payload); };
    }
    host.device.allocator = allocator_of(given);
    return host;
}

ff_status ff_device_requirements_create(ff_device_requirements **out, const ff_vulkan_device *host, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !host) return api::null_argument(out ? "host" : "out");
        const ff_vulkan_device given = api::from_caller(host, ff_vulkan_device{});
        if (given.physical_device == VK_NULL_HANDLE) return api::null_argument("ff_vulkan_device.physical_device");
        FF_TRY_ASSIGN(const std::shared_ptr<gpu::Instance> instance, gpu::Instance::adopt(instance_of(given), {}));
        FF_TRY_ASSIGN(gpu::PhysicalDevice physical,
                      gpu::query_device(instance->vk(), given.physical_device, instance->api_version()));
        // One was found, or the query would have failed.
        const std::uint32_t family = gpu::choose_compute_family(physical.families, /*prefer_graphics=*/false)
                                         .value_or(gpu::ComputeFamily{})
                                         .index;
        *out = new ff_device_requirements(std::move(physical), family);
        return {};
    });
}

void ff_device_requirements_destroy(ff_device_requirements *requirements) {
    delete requirements;
}

ff_status ff_device_requirements_get(const ff_device_requirements *requirements, ff_device_requirements_info *out,
                                     ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!requirements || !out) return api::null_argument(requirements ? "out" : "requirements");
        const gpu::FeatureChain &chain = requirements->chain;
        api::to_caller(ff_device_requirements_info{sizeof(ff_device_requirements_info), requirements->queue_family,
                                                   chain.extensions().data(), chain.extensions().size(), chain.chain()},
                       out);
        return {};
    });
}

ff_status ff_device_requirements_enable(const ff_device_requirements *requirements, VkPhysicalDeviceFeatures2 *chain,
                                        uint32_t *missing, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!requirements || !chain) return api::null_argument(requirements ? "chain" : "requirements");
        const std::uint32_t left = gpu::count(gpu::enable_features(requirements->chain.features(), *chain));
        if (missing) *missing = left;
        return {};
    });
}
