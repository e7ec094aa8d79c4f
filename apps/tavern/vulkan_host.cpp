#include "vulkan_host.h"

#define GLFW_INCLUDE_NONE
#include <GLFW/glfw3.h>

#include <algorithm>
#include <stdexcept>

namespace tavern {
namespace {

constexpr std::uint32_t kVulkan = VK_API_VERSION_1_2;

template <class Function>
Function function_of(VkInstance instance, const char *name) {
    return reinterpret_cast<Function>(vkGetInstanceProcAddr(instance, name));
}

std::vector<VkQueueFamilyProperties> families_of(VkPhysicalDevice device) {
    std::uint32_t count = 0;
    vkGetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
    std::vector<VkQueueFamilyProperties> families(count);
    vkGetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
    return families;
}

} // namespace

void must(VkResult result, const char *call) {
    if (result < VK_SUCCESS)
        throw std::runtime_error(std::string(call) + " failed: VkResult " + std::to_string(result));
}

VulkanHost::VulkanHost(GLFWwindow *window, const HostOptions &options) : validate_(options.validate) {
    create_instance();
    must(glfwCreateWindowSurface(instance_, window, nullptr, &surface_), "glfwCreateWindowSurface");
    choose_physical_device(options.device);
    create_device();
}

VulkanHost::~VulkanHost() {
    enabled_.reset();
    if (device_ != VK_NULL_HANDLE) vkDestroyDevice(device_, nullptr);
    if (surface_ != VK_NULL_HANDLE) vkDestroySurfaceKHR(instance_, surface_, nullptr);
    if (messenger_ != VK_NULL_HANDLE)
        function_of<PFN_vkDestroyDebugUtilsMessengerEXT>(instance_, "vkDestroyDebugUtilsMessengerEXT")(
            instance_, messenger_, nullptr);
    if (instance_ != VK_NULL_HANDLE) vkDestroyInstance(instance_, nullptr);
}

void VulkanHost::create_instance() {
    VkApplicationInfo application{};
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    application.pApplicationName = "tavern";
    application.apiVersion = kVulkan;
    std::uint32_t count = 0;
    const char **needed = glfwGetRequiredInstanceExtensions(&count);
    if (needed == nullptr) throw std::runtime_error("no Vulkan driver that can draw to a window");
    std::vector<const char *> extensions(needed, needed + count);
    const char *layer = "VK_LAYER_KHRONOS_validation";
    const VkValidationFeatureEnableEXT enables[] = {VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    VkValidationFeaturesEXT validation{};
    validation.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT;
    validation.enabledValidationFeatureCount = 1;
    validation.pEnabledValidationFeatures = enables;
    VkInstanceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pApplicationInfo = &application;
    if (validate_) {
        extensions.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
        extensions.push_back(VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME);
        info.pNext = &validation;
        info.enabledLayerCount = 1;
        info.ppEnabledLayerNames = &layer;
    }
    info.enabledExtensionCount = static_cast<std::uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    must(vkCreateInstance(&info, nullptr, &instance_), "vkCreateInstance");
    if (!validate_) return;
    VkDebugUtilsMessengerCreateInfoEXT messenger{};
    messenger.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT;
    messenger.messageSeverity =
        VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
    messenger.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT;
    messenger.pfnUserCallback = report;
    messenger.pUserData = this;
    must(function_of<PFN_vkCreateDebugUtilsMessengerEXT>(instance_, "vkCreateDebugUtilsMessengerEXT")(
             instance_, &messenger, nullptr, &messenger_),
         "vkCreateDebugUtilsMessengerEXT");
}

// The first that has a queue which draws and presents; GPUs before software.
void VulkanHost::choose_physical_device(const std::string &name) {
    std::uint32_t count = 0;
    must(vkEnumeratePhysicalDevices(instance_, &count, nullptr), "vkEnumeratePhysicalDevices");
    std::vector<VkPhysicalDevice> devices(count);
    must(vkEnumeratePhysicalDevices(instance_, &count, devices.data()), "vkEnumeratePhysicalDevices");
    const auto properties_of = [](VkPhysicalDevice device) {
        VkPhysicalDeviceProperties properties{};
        vkGetPhysicalDeviceProperties(device, &properties);
        return properties;
    };
    std::ranges::stable_partition(devices, [&](VkPhysicalDevice device) {
        return properties_of(device).deviceType != VK_PHYSICAL_DEVICE_TYPE_CPU;
    });
    for (const VkPhysicalDevice device : devices) {
        const VkPhysicalDeviceProperties properties = properties_of(device);
        if (std::string(properties.deviceName).find(name) == std::string::npos) continue;
        if (properties.apiVersion < VK_API_VERSION_1_1) continue;
        const std::vector<VkQueueFamilyProperties> families = families_of(device);
        for (std::uint32_t family = 0; family < families.size(); ++family) {
            VkBool32 presents = VK_FALSE;
            must(vkGetPhysicalDeviceSurfaceSupportKHR(device, family, surface_, &presents),
                 "vkGetPhysicalDeviceSurfaceSupportKHR");
            const VkQueueFlags both = VK_QUEUE_GRAPHICS_BIT | VK_QUEUE_COMPUTE_BIT;
            if (presents != VK_TRUE || (families[family].queueFlags & both) != both) continue;
            physical_device_ = device;
            queue_family_ = family;
            return;
        }
    }
    throw std::runtime_error("no Vulkan device" + (name.empty() ? "" : " named \"" + name + "\"") +
                             " can draw to the window");
}

ff_vulkan_device VulkanHost::described() const {
    ff_vulkan_device out = firefinch::vulkan_device();
    out.instance = instance_;
    out.api_version = kVulkan;
    out.get_instance_proc_addr = vkGetInstanceProcAddr;
    out.physical_device = physical_device_;
    out.debug_utils = validate_ ? 1 : 0;
    return out;
}

void VulkanHost::create_device() {
    enabled_ = std::make_unique<firefinch::DeviceRequirements>(described());
    const ff_device_requirements_info wanted = enabled_->info();
    const std::vector<VkQueueFamilyProperties> families = families_of(physical_device_);
    // A queue that only computes runs beside drawing; else a second one of the same family; else the one there is.
    lent_family_ = wanted.queue_family;
    const bool second = lent_family_ == queue_family_ && families[queue_family_].queueCount > 1;
    const float priorities[] = {1.0F, 0.0F}; // drawing first
    VkDeviceQueueCreateInfo queues[2]{};
    queues[0].sType = queues[1].sType = VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO;
    queues[0].queueFamilyIndex = queue_family_;
    queues[0].queueCount = second ? 2 : 1;
    queues[0].pQueuePriorities = priorities;
    queues[1].queueFamilyIndex = lent_family_;
    queues[1].queueCount = 1;
    queues[1].pQueuePriorities = priorities + 1;
    extensions_.assign(wanted.extensions, wanted.extensions + wanted.extension_count);
    extensions_.push_back(VK_KHR_SWAPCHAIN_EXTENSION_NAME);
    VkDeviceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO;
    info.pNext = wanted.features;
    info.queueCreateInfoCount = lent_family_ == queue_family_ ? 1 : 2;
    info.pQueueCreateInfos = queues;
    info.enabledExtensionCount = static_cast<std::uint32_t>(extensions_.size());
    info.ppEnabledExtensionNames = extensions_.data();
    must(vkCreateDevice(physical_device_, &info, nullptr, &device_), "vkCreateDevice");
    vkGetDeviceQueue(device_, queue_family_, 0, &queue_);
    vkGetDeviceQueue(device_, lent_family_, second ? 1 : 0, &lent_queue_);
}

ff_vulkan_device VulkanHost::lend() {
    ff_vulkan_device lent = described();
    lent.device = device_;
    lent.queue = lent_queue_;
    lent.queue_family = lent_family_;
    lent.features = enabled_->info().features;
    lent.extensions = extensions_.data();
    lent.extension_count = extensions_.size();
    if (lent_queue_ == queue_) {
        lent.payload = this;
        lent.lock = [](void *self) { static_cast<VulkanHost *>(self)->queue_mutex_.lock(); };
        lent.unlock = [](void *self) { static_cast<VulkanHost *>(self)->queue_mutex_.unlock(); };
    }
    return lent;
}

std::unique_lock<std::mutex> VulkanHost::lock_queue() {
    return std::unique_lock(queue_mutex_);
}

std::string VulkanHost::device_name() const {
    VkPhysicalDeviceProperties properties{};
    vkGetPhysicalDeviceProperties(physical_device_, &properties);
    return properties.deviceName;
}

std::string VulkanHost::lent_queue() const {
    if (lent_queue_ == queue_) return "the drawing queue, shared";
    return lent_family_ == queue_family_ ? "a second queue" : "a compute queue";
}

std::uint32_t VulkanHost::memory_type(std::uint32_t allowed, VkMemoryPropertyFlags wanted) const {
    VkPhysicalDeviceMemoryProperties memory{};
    vkGetPhysicalDeviceMemoryProperties(physical_device_, &memory);
    for (std::uint32_t type = 0; type < memory.memoryTypeCount; ++type)
        if ((allowed & (1U << type)) != 0 && (memory.memoryTypes[type].propertyFlags & wanted) == wanted) return type;
    throw std::runtime_error("the device has no memory that fits");
}

std::string VulkanHost::first_message() const {
    const std::lock_guard lock(message_mutex_);
    return first_message_;
}

VkBool32 VulkanHost::report(VkDebugUtilsMessageSeverityFlagBitsEXT, VkDebugUtilsMessageTypeFlagsEXT,
                            const VkDebugUtilsMessengerCallbackDataEXT *data, void *self) {
    VulkanHost &host = *static_cast<VulkanHost *>(self);
    const std::lock_guard lock(host.message_mutex_);
    if (host.messages_++ == 0) host.first_message_ = data->pMessage;
    return VK_FALSE;
}

} // namespace tavern
