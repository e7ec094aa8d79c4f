#include "tests/api/host_device.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <vector>

namespace ff::test {
namespace {

template <class Function>
Function function_of(VkInstance instance, const char *name) {
    return reinterpret_cast<Function>(vkGetInstanceProcAddr(instance, name));
}

void must(VkResult result) {
    if (result != VK_SUCCESS) FAIL("the host's own Vulkan call failed: " << static_cast<int>(result));
}

bool validated() {
    const char *wanted = std::getenv("FIREFINCH_TEST_VALIDATE");
    return wanted == nullptr || std::strcmp(wanted, "0") != 0;
}

// A vkQueueSubmit that loses the device, reached through the functions that lead to it.
std::atomic<int> submissions_left;

VKAPI_ATTR VkResult VKAPI_CALL losing_submit(VkQueue queue, std::uint32_t count, const VkSubmitInfo *infos,
                                             VkFence fence) {
    if (submissions_left.fetch_sub(1) <= 0) return VK_ERROR_DEVICE_LOST;
    return vkQueueSubmit(queue, count, infos, fence);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL losing_device_functions(VkDevice device, const char *name) {
    if (std::strcmp(name, "vkQueueSubmit") == 0) return reinterpret_cast<PFN_vkVoidFunction>(losing_submit);
    return vkGetDeviceProcAddr(device, name);
}

VKAPI_ATTR PFN_vkVoidFunction VKAPI_CALL losing_functions(VkInstance instance, const char *name) {
    if (std::strcmp(name, "vkGetDeviceProcAddr") == 0)
        return reinterpret_cast<PFN_vkVoidFunction>(losing_device_functions);
    return vkGetInstanceProcAddr(instance, name);
}

} // namespace

HostDevice::HostDevice(Enable enable)
    : api_version_(enable == Enable::nothing ? VK_API_VERSION_1_1 : VK_API_VERSION_1_3) {
    create_instance();
    choose_physical_device();
    create_device(enable);
}

HostDevice::~HostDevice() {
    CHECK(allocations() == 0);
    CHECK(allocated_bytes() == 0);
    if (device_ != VK_NULL_HANDLE) vkDestroyDevice(device_, nullptr);
    CHECK(complaints() == "");
    if (messenger_ != VK_NULL_HANDLE)
        function_of<PFN_vkDestroyDebugUtilsMessengerEXT>(instance_, "vkDestroyDebugUtilsMessengerEXT")(
            instance_, messenger_, nullptr);
    enabled_.reset();
    if (instance_ != VK_NULL_HANDLE) vkDestroyInstance(instance_, nullptr);
}

void HostDevice::create_instance() {
    VkApplicationInfo application{};
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    application.apiVersion = api_version_;
    const char *layer = "VK_LAYER_KHRONOS_validation";
    const char *extensions[] = {VK_EXT_DEBUG_UTILS_EXTENSION_NAME, VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME};
    const VkValidationFeatureEnableEXT enables[] = {VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    VkValidationFeaturesEXT validation{};
    validation.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT;
    validation.enabledValidationFeatureCount = 1;
    validation.pEnabledValidationFeatures = enables;
    VkInstanceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pApplicationInfo = &application;
    if (validated()) {
        info.pNext = &validation;
        info.enabledLayerCount = 1;
        info.ppEnabledLayerNames = &layer;
        info.enabledExtensionCount = 2;
        info.ppEnabledExtensionNames = extensions;
    }
    must(vkCreateInstance(&info, nullptr, &instance_));
    if (!validated()) return;
    VkDebugUtilsMessengerCreateInfoEXT messenger{};
    messenger.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT;
    messenger.messageSeverity =
        VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
    messenger.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
    messenger.pfnUserCallback = report;
    messenger.pUserData = this;
    must(function_of<PFN_vkCreateDebugUtilsMessengerEXT>(instance_, "vkCreateDebugUtilsMessengerEXT")(
        instance_, &messenger, nullptr, &messenger_));
}

// The one that the tests of other rooms take, known by its UUID.
void HostDevice::choose_physical_device() {
    const firefinch::DeviceList list;
    const std::string wanted = list[list.choose(std::getenv("FIREFINCH_TEST_DEVICE"))].uuid;
    std::uint32_t count = 0;
    must(vkEnumeratePhysicalDevices(instance_, &count, nullptr));
    std::vector<VkPhysicalDevice> devices(count);
    must(vkEnumeratePhysicalDevices(instance_, &count, devices.data()));
    for (const VkPhysicalDevice each : devices) {
        VkPhysicalDeviceIDProperties id{};
        id.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES;
        VkPhysicalDeviceProperties2 properties{};
        properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
        properties.pNext = &id;
        vkGetPhysicalDeviceProperties2(each, &properties);
        std::string uuid;
        for (const std::uint8_t byte : id.deviceUUID)
            for (const int digit : {byte >> 4, byte & 15}) uuid += "0123456789abcdef"[digit];
        if (uuid == wanted) physical_ = each;
    }
    REQUIRE(physical_ != VK_NULL_HANDLE);
}

void HostDevice::create_device(Enable enable) {
    ff_vulkan_device before = firefinch::vulkan_device();
    before.instance = instance_;
    before.api_version = api_version_;
    before.physical_device = physical_;
    auto requirements = std::make_unique<firefinch::DeviceRequirements>(before);
    const ff_device_requirements_info wanted = requirements->info();
    family_ = wanted.queue_family;
    const float priority = 1.0F;
    VkDeviceQueueCreateInfo queue{};
    queue.sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queue.queueFamilyIndex = family_;
    queue.queueCount = 1;
    queue.pQueuePriorities = &priority;
    VkDeviceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.queueCreateInfoCount = 1;
    info.pQueueCreateInfos = &queue;
    if (enable == Enable::everything) {
        info.pNext = wanted.features;
        info.enabledExtensionCount = static_cast<std::uint32_t>(wanted.extension_count);
        info.ppEnabledExtensionNames = wanted.extensions;
        enabled_ = std::move(requirements);
    }
    must(vkCreateDevice(physical_, &info, nullptr, &device_));
    vkGetDeviceQueue(device_, family_, 0, &queue_);
}

ff_vulkan_device HostDevice::lend() {
    ff_vulkan_device lent = firefinch::vulkan_device();
    lent.api_version = api_version_;
    lent.instance = instance_;
    lent.get_instance_proc_addr = vkGetInstanceProcAddr;
    lent.physical_device = physical_;
    lent.device = device_;
    lent.queue = queue_;
    lent.queue_family = family_;
    lent.debug_utils = validated() ? 1 : 0;
    if (enabled_) {
        lent.features = enabled_->info().features;
        lent.extensions = enabled_->info().extensions;
        lent.extension_count = enabled_->info().extension_count;
    }
    lent.payload = this;
    lent.lock = [](void *self) {
        static_cast<HostDevice *>(self)->queue_mutex_.lock();
        ++static_cast<HostDevice *>(self)->locked_;
    };
    lent.unlock = [](void *self) { static_cast<HostDevice *>(self)->queue_mutex_.unlock(); };
    lent.allocate = allocate;
    lent.free = free;
    return lent;
}

ff_vulkan_device HostDevice::lend_losing(int submissions) {
    submissions_left = submissions;
    ff_vulkan_device lent = lend();
    lent.get_instance_proc_addr = losing_functions;
    return lent;
}

void HostDevice::submit_nothing() {
    VkFenceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
    VkFence fence = VK_NULL_HANDLE;
    must(vkCreateFence(device_, &info, nullptr, &fence));
    {
        const std::lock_guard lock(queue_mutex_);
        must(vkQueueSubmit(queue_, 0, nullptr, fence));
    }
    must(vkWaitForFences(device_, 1, &fence, VK_TRUE, ~0ULL));
    vkDestroyFence(device_, fence, nullptr);
}

// Each piece begins behind some bytes of its memory, as if those were another's.
VkResult HostDevice::allocate(void *self, const VkMemoryRequirements *requirements, std::uint32_t type, VkBool32 map,
                              const char *name, ff_vulkan_memory *out) {
    HostDevice &host = *static_cast<HostDevice *>(self);
    if (name == nullptr || name[0] == '\0') return VK_ERROR_UNKNOWN;
    VkMemoryAllocateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_MEMORY_ALLOCATE_INFO;
    info.allocationSize = requirements->alignment + requirements->size;
    info.memoryTypeIndex = type;
    if (const VkResult result = vkAllocateMemory(host.device_, &info, nullptr, &out->memory); result != VK_SUCCESS)
        return result;
    void *address = nullptr;
    if (map == VK_TRUE) must(vkMapMemory(host.device_, out->memory, 0, VK_WHOLE_SIZE, 0, &address));
    out->offset = requirements->alignment;
    out->mapped = map == VK_TRUE ? static_cast<char *>(address) + out->offset : nullptr;
    out->handle = self;
    const std::lock_guard lock(host.mutex_);
    host.blocks_[out->memory] = {requirements->size, map == VK_TRUE};
    return VK_SUCCESS;
}

void HostDevice::free(void *self, const ff_vulkan_memory *memory) {
    HostDevice &host = *static_cast<HostDevice *>(self);
    CHECK(memory->handle == self);
    const std::lock_guard lock(host.mutex_);
    const auto block = host.blocks_.find(memory->memory);
    REQUIRE(block != host.blocks_.end());
    if (block->second.mapped) vkUnmapMemory(host.device_, memory->memory);
    vkFreeMemory(host.device_, memory->memory, nullptr);
    host.blocks_.erase(block);
}

std::size_t HostDevice::allocations() const {
    const std::lock_guard lock(mutex_);
    return blocks_.size();
}

std::uint64_t HostDevice::allocated_bytes() const {
    const std::lock_guard lock(mutex_);
    std::uint64_t sum = 0;
    for (const auto &[memory, block] : blocks_) sum += block.bytes;
    return sum;
}

std::string HostDevice::complaints() const {
    const std::lock_guard lock(mutex_);
    return complaints_;
}

VkBool32 HostDevice::report(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
                            const VkDebugUtilsMessengerCallbackDataEXT *data, void *self) {
    HostDevice &host = *static_cast<HostDevice *>(self);
    const std::lock_guard lock(host.mutex_);
    host.complaints_ += std::string(data->pMessage) + "\n";
    return VK_FALSE;
}

ff_engine_options engine_options_of(const ff_vulkan_device &lent) {
    ff_engine_options options = firefinch::engine_options();
    options.vulkan_device = &lent;
    options.profile = std::getenv("FIREFINCH_TEST_PROFILE");
    return options;
}

} // namespace ff::test
