#include "runtime/gpu/device_impl.h"
#include "runtime/gpu/host_memory.h"

#include "runtime/gpu/memory_types.h"
#include "runtime/gpu/names.h"

#include <fmt/format.h>

#include <algorithm>

namespace ff::gpu {
namespace {

// What a logical device is created with: extensions and features in step with the masked traits.
class Features {
  public:
    Features(const PhysicalDevice &physical, const DeviceTraits &traits) : physical_(physical) {
        core_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
        core_.features.shaderInt16 = traits.int16 ? VK_TRUE : VK_FALSE;
        // robustBufferAccess stays off: it costs a bounds check a load, and kernels keep to their buffers.

        storage16_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES;
        storage16_.storageBuffer16BitAccess = VK_TRUE;
        add(traits.storage16, VK_API_VERSION_1_1, VK_KHR_16BIT_STORAGE_EXTENSION_NAME, storage16_);

        storage8_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_8BIT_STORAGE_FEATURES;
        storage8_.storageBuffer8BitAccess = VK_TRUE;
        add(traits.storage8, VK_API_VERSION_1_2, VK_KHR_8BIT_STORAGE_EXTENSION_NAME, storage8_);

        small_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES;
        small_.shaderFloat16 = traits.float16 ? VK_TRUE : VK_FALSE;
        small_.shaderInt8 = traits.int8 ? VK_TRUE : VK_FALSE;
        add(traits.float16 || traits.int8, VK_API_VERSION_1_2, VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME, small_);

        timeline_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES;
        timeline_.timelineSemaphore = VK_TRUE;
        add(traits.timeline_semaphore, VK_API_VERSION_1_2, VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME, timeline_);

        address_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_BUFFER_DEVICE_ADDRESS_FEATURES;
        address_.bufferDeviceAddress = VK_TRUE;
        add(traits.buffer_device_address, VK_API_VERSION_1_2, VK_KHR_BUFFER_DEVICE_ADDRESS_EXTENSION_NAME, address_);

        sizes_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_FEATURES;
        sizes_.subgroupSizeControl = sizes_.computeFullSubgroups = VK_TRUE;
        add(traits.subgroup_size_control, VK_API_VERSION_1_3, VK_EXT_SUBGROUP_SIZE_CONTROL_EXTENSION_NAME, sizes_);

        dot_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_INTEGER_DOT_PRODUCT_FEATURES;
        dot_.shaderIntegerDotProduct = VK_TRUE;
        add(traits.integer_dot_product, VK_API_VERSION_1_3, VK_KHR_SHADER_INTEGER_DOT_PRODUCT_EXTENSION_NAME, dot_);

        matrix_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR;
        matrix_.cooperativeMatrix = VK_TRUE;
        add(!traits.matrix_shapes.empty(), kNoCore, VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME, matrix_);
        memory_model_.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES;
        memory_model_.vulkanMemoryModel = VK_TRUE; // their SPIR-V has it
        add(!traits.matrix_shapes.empty(), VK_API_VERSION_1_2, VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME, memory_model_);

        if (traits.memory_budget) extensions_.push_back(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
        // A device that has it must have it enabled; the name stands in a header of beta extensions.
        if (physical.has("VK_KHR_portability_subset")) extensions_.push_back("VK_KHR_portability_subset");
    }
    Features(const Features &) = delete;
    Features &operator=(const Features &) = delete;

    bool priorities() {
        const bool known = physical_.has(VK_KHR_GLOBAL_PRIORITY_EXTENSION_NAME);
        if (known) extensions_.push_back(VK_KHR_GLOBAL_PRIORITY_EXTENSION_NAME);
        return known;
    }
    const VkPhysicalDeviceFeatures2 *chain() const { return &core_; }
    const std::vector<const char *> &extensions() const { return extensions_; }

  private:
    static constexpr std::uint32_t kNoCore = ~0U; // an extension in every version of Vulkan

    template <class T>
    void add(bool wanted, std::uint32_t core_version, const char *extension, T &structure) {
        if (!wanted) return;
        structure.pNext = core_.pNext;
        core_.pNext = &structure;
        if (physical_.api_version < core_version) extensions_.push_back(extension);
    }

    const PhysicalDevice &physical_;
    std::vector<const char *> extensions_;
    VkPhysicalDeviceFeatures2 core_{};
    VkPhysicalDevice16BitStorageFeatures storage16_{};
    VkPhysicalDevice8BitStorageFeatures storage8_{};
    VkPhysicalDeviceShaderFloat16Int8Features small_{};
    VkPhysicalDeviceTimelineSemaphoreFeatures timeline_{};
    VkPhysicalDeviceBufferDeviceAddressFeatures address_{};
    VkPhysicalDeviceSubgroupSizeControlFeatures sizes_{};
    VkPhysicalDeviceShaderIntegerDotProductFeatures dot_{};
    VkPhysicalDeviceCooperativeMatrixFeaturesKHR matrix_{};
    VkPhysicalDeviceVulkanMemoryModelFeatures memory_model_{};
};

} // namespace

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
    profile->mask(traits);
    if (options.mask != nullptr) options.mask(traits);
    budget_bytes = options.memory_budget_bytes;
    return {};
}

void Device::Impl::start() {
    ff_gpu_load_device_table(&vk, handle, instance->vk().vkGetDeviceProcAddr);
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

    Features features(self.physical, self.traits);
    VkDeviceQueueGlobalPriorityCreateInfoKHR priority{};
    priority.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_GLOBAL_PRIORITY_CREATE_INFO_KHR;
    priority.globalPriority = VK_QUEUE_GLOBAL_PRIORITY_LOW_KHR;
    const float weight = 1.0F;
    VkDeviceQueueCreateInfo queue{};
    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue.pNext = options.low_priority && features.priorities() ? &priority : nullptr;
    queue.queueFamilyIndex = self.family;
    queue.queueCount = 1;
    queue.pQueuePriorities = &weight;
    VkDeviceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = features.chain();
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    info.enabledExtensionCount = static_cast<std::uint32_t>(features.extensions().size());
    info.ppEnabledExtensionNames = features.extensions().data();
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
    self.traits = enabled_traits(self.physical.info.traits, self.physical.api_version, host.features, host.extensions);
    self.traits.timestamp_valid_bits = families[host.queue_family].timestampValidBits;
    FF_TRY(self.mask(options));
    self.start();
    return device;
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
const VolkDeviceTable &Device::vk() const {
    return impl_->vk;
}
VkQueue Device::compute_queue() const {
    return impl_->queue;
}
std::uint32_t Device::compute_family() const {
    return impl_->family;
}
std::mutex &Device::queue_mutex() const {
    return impl_->queue_mutex;
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

std::uint64_t Device::Impl::free_bytes(std::uint32_t heap) const {
    std::uint64_t free = 0;
    const std::uint64_t ours = heap_bytes[heap].load();
    if (traits.memory_budget) {
        VkPhysicalDeviceMemoryBudgetPropertiesEXT budget{};
        budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT;
        VkPhysicalDeviceMemoryProperties2 properties{};
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
        properties.pNext = &budget;
        instance->vk().vkGetPhysicalDeviceMemoryProperties2(physical.info.handle, &properties);
        const std::uint64_t usage = budget.heapUsage[heap], most = budget.heapBudget[heap];
        free = most > usage ? most - usage : 0;
    } else {
        const std::uint64_t size = physical.memory.memoryHeaps[heap].size;
        free = size > ours ? size - ours : 0;
        // lavapipe before Mesa 23 has a heap of 2 GiB on every host, and allocates as much as the host gives.
        if (physical.info.type == DeviceType::software) free = std::max(free, available_host_bytes());
    }
    if (budget_bytes != 0 && is_local(heap)) {
        const std::uint64_t used = allocated_bytes.load();
        free = std::min(free, budget_bytes > used ? budget_bytes - used : 0);
    }
    return free;
}

Result<void> Device::Impl::check(std::string_view what, std::uint64_t bytes, std::uint32_t heap) const {
    const std::uint64_t free = free_bytes(heap);
    if (bytes <= free) return {};
    const std::string budget =
        budget_bytes != 0 && is_local(heap) ? fmt::format(" within its budget of {}", human_bytes(budget_bytes)) : "";
    return Error{Status::out_of_device_memory, fmt::format("{} needs {}, {} has {} free{}", what, human_bytes(bytes),
                                                           physical.info.name, human_bytes(free), budget)};
}

void Device::Impl::count(std::uint32_t heap, std::uint64_t bytes) {
    heap_bytes[heap] += bytes;
    if (is_local(heap)) allocated_bytes += bytes;
    ++allocations;
}

void Device::Impl::uncount(std::uint32_t heap, std::uint64_t bytes) {
    heap_bytes[heap] -= bytes;
    if (is_local(heap)) allocated_bytes -= bytes;
    --allocations;
}

std::uint64_t Device::free_memory_bytes() const {
    return impl_->free_bytes(impl_->main_heap);
}
std::uint64_t Device::allocated_bytes() const {
    return impl_->allocated_bytes.load();
}
std::uint32_t Device::allocation_count() const {
    return impl_->allocations.load();
}
Result<void> Device::check_memory(std::string_view what, std::uint64_t bytes) const {
    return impl_->check(what, bytes, impl_->main_heap);
}

Error Device::error(VkResult result, std::string_view call, std::string_view object) const {
    Status status = Status::device;
    std::string_view advice;
    switch (result) {
    case VK_ERROR_DEVICE_LOST:
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
