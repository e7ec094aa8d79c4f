#include "runtime/gpu/captured_devices.h"
#include "runtime/gpu/device_features.h"
#include "runtime/gpu/device_impl.h"
#include "runtime/gpu/memory_types.h"
#include "runtime/gpu/names.h"

#include <fmt/format.h>

#include <algorithm>

namespace ff::gpu {

Device::Impl::~Impl() {
    if (handle != VK_NULL_HANDLE && !adopted) vk.vkDestroyDevice(handle, nullptr);
}

Device::Device() : impl_(std::make_unique<Impl>()) {}

Device::~Device() = default;

Result<void> Device::Impl::mask(const DeviceOptions &options) {
    const Profile *profile = find_profile(options.profile);
    if (profile == nullptr) {
        std::vector<std::string_view> names;
        for (const Profile &known : profiles()) names.push_back(known.name);
        return Error{Status::argument, fmt::format("there is no device profile \"{}\"; known are {}", options.profile,
                                                   fmt::join(names, ", "))};
    }
    if (const CapturedDevice *captured = find_captured_device(profile->name); captured && instance->log())
        if (const std::string lacks = lacking(traits, captured->info.traits); !lacks.empty())
            instance->log()(LogLevel::info, fmt::format("profile {}: {} has no {}, which {} has", profile->name,
                                                        physical.info.name, lacks, captured->info.name));
    profile->mask(traits);
    if (options.mask != nullptr) options.mask(traits);
    traits.denied.insert(traits.denied.end(), options.denied.begin(), options.denied.end());
    traits.tuned = options.tuned;
    budget_bytes = options.memory_budget_bytes;
    return {};
}

void Device::Impl::start() {
    vk.load(handle, instance->vk().vkGetDeviceProcAddr);
    const auto types = rank_memory_types(physical.memory, ~0U, MemoryKind::device, traits.unified_memory);
    if (!types.empty()) main_heap = physical.memory.memoryTypes[types.front()].heapIndex;
}

Result<std::shared_ptr<Device>> Device::create(std::shared_ptr<Instance> instance, std::size_t index,
                                               const DeviceOptions &options) {
    const std::span<const DeviceInfo> devices = instance->devices();
    if (index >= devices.size())
        return Error{Status::argument, fmt::format("device {} was asked for, there are {}", index, devices.size())};
    std::shared_ptr<Device> device(new Device);
    Impl &self = *device->impl_;
    const InstanceFunctions &vk = instance->vk();
    FF_TRY_ASSIGN(self.physical, query_device(vk, devices[index].handle, instance->api_version()));
    self.instance = std::move(instance);
    self.index = index;
    self.traits = self.physical.info.traits;
    const auto family = choose_compute_family(self.physical.families, options.prefer_graphics_queue);
    if (!family) return Error{Status::unsupported, fmt::format("{} has no compute queue", self.physical.info.name)};
    self.family = family->index;
    self.traits.timestamp_valid_bits = family->timestamp_valid_bits;
    FF_TRY(self.mask(options));

    const FeatureChain features(self.physical, self.traits);
    std::vector<const char *> extensions = features.extensions();
    // Two names of one extension, older drivers know the first.
    const char *priorities = nullptr;
    for (const char *name : {VK_EXT_GLOBAL_PRIORITY_EXTENSION_NAME, VK_KHR_GLOBAL_PRIORITY_EXTENSION_NAME})
        if (options.low_priority && self.physical.has(name)) priorities = name;
    if (priorities) extensions.push_back(priorities);
    VkDeviceQueueGlobalPriorityCreateInfoKHR priority{};
    priority.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_GLOBAL_PRIORITY_CREATE_INFO_KHR;
    priority.globalPriority = VK_QUEUE_GLOBAL_PRIORITY_LOW_KHR;
    const float weight = options.low_priority ? 0.0F : 1.0F; // among the queues of this device
    VkDeviceQueueCreateInfo queue{};
    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue.pNext = priorities ? &priority : nullptr;
    queue.queueFamilyIndex = self.family;
    queue.queueCount = 1;
    queue.pQueuePriorities = &weight;
    VkDeviceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = features.chain();
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.enabledExtensionCount = static_cast<std::uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    VkResult result = vk.vkCreateDevice(self.physical.info.handle, &info, nullptr, &self.handle);
    if (result != VK_SUCCESS && queue.pNext != nullptr) { // drivers may refuse a priority they know (SwiftShader does)
        queue.pNext = nullptr;
        result = vk.vkCreateDevice(self.physical.info.handle, &info, nullptr, &self.handle);
    }
    if (result != VK_SUCCESS) {
        self.handle = VK_NULL_HANDLE;
        return device->error(result, "vkCreateDevice", self.physical.info.name);
    }
    self.start();
    self.vk.vkGetDeviceQueue(self.handle, self.family, 0, &self.queue);
    device->set_name(VK_OBJECT_TYPE_QUEUE, self.queue, "compute");
    return device;
}

Result<std::shared_ptr<Device>> Device::adopt(std::shared_ptr<Instance> instance, const HostDevice &host,
                                              const DeviceOptions &options) {
    if (host.physical == VK_NULL_HANDLE || host.handle == VK_NULL_HANDLE || host.queue == VK_NULL_HANDLE)
        return Error{Status::argument, "the host's physical device, device or queue is null"};
    std::shared_ptr<Device> device(new Device);
    Impl &self = *device->impl_;
    FF_TRY_ASSIGN(self.physical, query_device(instance->vk(), host.physical, instance->api_version()));
    const std::vector<VkQueueFamilyProperties> &families = self.physical.families;
    if (host.queue_family >= families.size() || (families[host.queue_family].queueFlags & VK_QUEUE_COMPUTE_BIT) == 0)
        return Error{Status::argument,
                     fmt::format("queue family {} of {} does not compute", host.queue_family, self.physical.info.name)};
    self.instance = std::move(instance);
    const std::span<const DeviceInfo> devices = self.instance->devices();
    while (self.index < devices.size() && devices[self.index].handle != host.physical) ++self.index;
    self.adopted = true;
    self.handle = host.handle;
    self.queue = host.queue;
    self.family = host.queue_family;
    self.lock = host.lock;
    self.unlock = host.unlock;
    self.allocator = host.allocator;
    self.traits = enabled_traits(self.physical.info.traits, self.physical.api_version, host.features, host.extensions);
    if (host.allocator.allocate) self.traits.buffer_addresses = false; // its memory would have to be made for them
    self.traits.timestamp_valid_bits = families[host.queue_family].timestampValidBits;
    FF_TRY(self.mask(options));
    self.start();
    return device;
}

std::shared_ptr<Device> Device::imagine(const DeviceInfo &info) {
    std::shared_ptr<Device> device(new Device);
    device->impl_->physical.info = info;
    device->impl_->traits = info.traits;
    return device;
}

bool Device::imagined() const {
    return impl_->instance == nullptr;
}
std::size_t Device::index() const {
    return impl_->index;
}
const DeviceInfo &Device::info() const {
    return impl_->physical.info;
}
const DeviceTraits &Device::traits() const {
    return impl_->traits;
}
Instance &Device::instance() const {
    return *impl_->instance;
}
VkDevice Device::handle() const {
    return impl_->handle;
}
VkPhysicalDevice Device::physical() const {
    return impl_->physical.info.handle;
}
std::uint32_t Device::api_version() const {
    return impl_->physical.api_version;
}
const VkPhysicalDeviceMemoryProperties &Device::memory_properties() const {
    return impl_->physical.memory;
}
const DeviceFunctions &Device::vk() const {
    return impl_->vk;
}
VkQueue Device::compute_queue() const {
    return impl_->queue;
}
std::uint32_t Device::compute_family() const {
    return impl_->family;
}

Result<void> Device::check_not_lost() const {
    if (!impl_->lost) return {};
    return Error{Status::device_lost, fmt::format("{} was lost before this call: its objects can only be destroyed",
                                                  impl_->physical.info.name)};
}

VkResult Device::submit(std::span<const VkSubmitInfo> submits, VkFence fence) const {
    const std::lock_guard lock(impl_->queue_mutex);
    if (impl_->lock) impl_->lock();
    const VkResult result =
        impl_->vk.vkQueueSubmit(impl_->queue, static_cast<std::uint32_t>(submits.size()), submits.data(), fence);
    if (impl_->unlock) impl_->unlock();
    return result;
}

void Device::set_name(VkObjectType type, std::uint64_t handle, std::string_view name) const {
    const auto set = impl_->instance->vk().vkSetDebugUtilsObjectNameEXT;
    if (set == nullptr) return;
    const std::string text(name);
    VkDebugUtilsObjectNameInfoEXT info{};
    info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_OBJECT_NAME_INFO_EXT;
    info.objectType = type;
    info.objectHandle = handle;
    info.pObjectName = text.c_str();
    set(impl_->handle, &info);
}

void Device::begin_label(VkCommandBuffer commands, std::string_view label) const {
    const auto begin = impl_->instance->vk().vkCmdBeginDebugUtilsLabelEXT;
    if (begin == nullptr) return;
    const std::string text(label);
    VkDebugUtilsLabelEXT info{};
    info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_LABEL_EXT;
    info.pLabelName = text.c_str();
    begin(commands, &info);
}

void Device::end_label(VkCommandBuffer commands) const {
    if (const auto end = impl_->instance->vk().vkCmdEndDebugUtilsLabelEXT) end(commands);
}

Error Device::error(VkResult result, std::string_view call, std::string_view object) const {
    Status status = Status::device;
    std::string_view advice;
    switch (result) {
    case VK_ERROR_DEVICE_LOST:
        impl_->lost = true;
        status = Status::device_lost;
        advice = ": the driver gave up on the device (a hang, a reset, or memory that ran out)";
        break;
    case VK_ERROR_OUT_OF_HOST_MEMORY:
        status = Status::out_of_host_memory;
        break;
    case VK_ERROR_OUT_OF_DEVICE_MEMORY:
    case VK_ERROR_OUT_OF_POOL_MEMORY:
    case VK_ERROR_FRAGMENTED_POOL:
        status = Status::out_of_device_memory;
        break;
    default:
        break;
    }
    return {status,
            fmt::format("{} of {} on {}: {}{}", call, object, impl_->physical.info.name, name_of(result), advice)};
}

} // namespace ff::gpu
