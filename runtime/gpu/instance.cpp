#include "runtime/gpu/instance.h"

#include "runtime/gpu/device_choice.h"
#include "runtime/gpu/device_query.h"
#include "runtime/gpu/functions.h"
#include "runtime/gpu/names.h"
#include "runtime/gpu/validation.h"

#include <fmt/format.h>

#include <algorithm>

namespace ff::gpu {
namespace {

constexpr const char *kValidationLayer = "VK_LAYER_KHRONOS_validation";

bool contains(const std::vector<VkExtensionProperties> &list, std::string_view name) {
    return std::any_of(list.begin(), list.end(),
                       [&](const VkExtensionProperties &extension) { return name == extension.extensionName; });
}

std::vector<VkExtensionProperties> extensions_of(const GlobalFunctions &vk, const char *layer) {
    std::uint32_t count = 0;
    std::vector<VkExtensionProperties> list;
    if (vk.vkEnumerateInstanceExtensionProperties(layer, &count, nullptr) != VK_SUCCESS) return list;
    list.resize(count);
    if (vk.vkEnumerateInstanceExtensionProperties(layer, &count, list.data()) < VK_SUCCESS) count = 0;
    list.resize(count);
    return list;
}

bool has_layer(const GlobalFunctions &vk, std::string_view name) {
    std::uint32_t count = 0;
    if (vk.vkEnumerateInstanceLayerProperties(&count, nullptr) != VK_SUCCESS) return false;
    std::vector<VkLayerProperties> list(count);
    if (vk.vkEnumerateInstanceLayerProperties(&count, list.data()) < VK_SUCCESS) return false;
    list.resize(count);
    return std::any_of(list.begin(), list.end(),
                       [&](const VkLayerProperties &layer) { return name == layer.layerName; });
}

std::uint32_t version_of(const GlobalFunctions &vk) {
    std::uint32_t version = VK_API_VERSION_1_0;
    if (vk.vkEnumerateInstanceVersion != nullptr) vk.vkEnumerateInstanceVersion(&version);
    return version;
}

Error no_loader() {
    return {Status::no_device, "no Vulkan loader found (libvulkan.so.1, vulkan-1.dll): install a Vulkan driver"};
}

Error creation_error(VkResult result) {
    if (result == VK_ERROR_INCOMPATIBLE_DRIVER)
        return {Status::no_device, "no Vulkan driver found: install the one of this machine's GPU"};
    const Status status = result == VK_ERROR_OUT_OF_HOST_MEMORY ? Status::out_of_host_memory : Status::device;
    return {status, fmt::format("vkCreateInstance: {}", name_of(result))};
}

} // namespace

struct Instance::Impl {
    explicit Impl(LogFunction function) : log(std::move(function)), validation(log) {}
    ~Impl() {
        if (adopted) return;
        if (messenger != VK_NULL_HANDLE) vk.vkDestroyDebugUtilsMessengerEXT(handle, messenger, nullptr);
        if (handle != VK_NULL_HANDLE) vk.vkDestroyInstance(handle, nullptr);
    }
    Impl(const Impl &) = delete;
    Impl &operator=(const Impl &) = delete;

    Result<void> create(bool validate);
    Result<void> list_devices();
    void say(LogLevel level, std::string_view message) const {
        if (log) log(level, message);
    }

    LogFunction log;
    ValidationLog validation; // before the instance: messages come until it is gone
    std::uint32_t api_version = VK_API_VERSION_1_1;
    VkInstance handle = VK_NULL_HANDLE;
    bool adopted = false;
    VkDebugUtilsMessengerEXT messenger = VK_NULL_HANDLE;
    InstanceFunctions vk;
    std::vector<DeviceInfo> devices;
};

Result<void> Instance::Impl::create(bool validate) {
    const PFN_vkGetInstanceProcAddr entry = system_loader();
    if (entry == nullptr) return no_loader();
    const GlobalFunctions global(entry);
    const std::uint32_t loader = version_of(global);
    if (loader < VK_API_VERSION_1_1)
        return Error{Status::no_device,
                     fmt::format("the Vulkan loader is version {}, 1.1 is needed", version_text(loader))};
    api_version = std::min<std::uint32_t>(loader, VK_API_VERSION_1_3);

    const std::vector<VkExtensionProperties> available = extensions_of(global, nullptr);
    std::vector<const char *> extensions, layers;
    bool debug_utils = contains(available, VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
    bool features_extension = false;
    if (validate) {
        if (!has_layer(global, kValidationLayer))
            return Error{Status::unsupported, fmt::format("validation was asked for, but the layer {} is not installed "
                                                          "(Debian: vulkan-validationlayers)",
                                                          kValidationLayer)};
        layers.push_back(kValidationLayer);
        const std::vector<VkExtensionProperties> of_layer = extensions_of(global, kValidationLayer);
        debug_utils = debug_utils || contains(of_layer, VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
        features_extension = contains(of_layer, VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME);
        if (!debug_utils)
            return Error{Status::unsupported,
                         "validation was asked for, but there is no VK_EXT_debug_utils to hear it"};
    }
    if (debug_utils) extensions.push_back(VK_EXT_DEBUG_UTILS_EXTENSION_NAME);
    if (features_extension) extensions.push_back(VK_EXT_VALIDATION_FEATURES_EXTENSION_NAME);
    // Without it the loader hides drivers such as MoltenVK that are not conformant in every corner.
    const bool portability = contains(available, VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME);
    if (portability) extensions.push_back(VK_KHR_PORTABILITY_ENUMERATION_EXTENSION_NAME);

    VkApplicationInfo application{};
    application.sType = VK_STRUCTURE_TYPE_APPLICATION_INFO;
    application.pEngineName = "firefinch";
    application.apiVersion = api_version;

    VkDebugUtilsMessengerCreateInfoEXT messenger_info = validation.messenger();
    const VkValidationFeatureEnableEXT enables[] = {VK_VALIDATION_FEATURE_ENABLE_SYNCHRONIZATION_VALIDATION_EXT};
    VkValidationFeaturesEXT features{};
    features.sType = VK_STRUCTURE_TYPE_VALIDATION_FEATURES_EXT;
    features.enabledValidationFeatureCount = 1;
    features.pEnabledValidationFeatures = enables;
    if (features_extension) messenger_info.pNext = &features;

    VkInstanceCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO;
    info.pNext = validate ? &messenger_info : nullptr;
    if (portability) info.flags |= VK_INSTANCE_CREATE_ENUMERATE_PORTABILITY_BIT_KHR;
    info.pApplicationInfo = &application;
    info.enabledLayerCount = static_cast<std::uint32_t>(layers.size());
    info.ppEnabledLayerNames = layers.data();
    info.enabledExtensionCount = static_cast<std::uint32_t>(extensions.size());
    info.ppEnabledExtensionNames = extensions.data();
    if (const VkResult result = global.vkCreateInstance(&info, nullptr, &handle); result != VK_SUCCESS) {
        handle = VK_NULL_HANDLE;
        return creation_error(result);
    }
    vk.load(handle, entry);
    if (validate) {
        messenger_info.pNext = nullptr;
        const VkResult result = vk.vkCreateDebugUtilsMessengerEXT(handle, &messenger_info, nullptr, &messenger);
        if (result != VK_SUCCESS) return creation_error(result);
    }
    return {};
}

Result<void> Instance::Impl::list_devices() {
    std::vector<VkPhysicalDevice> handles;
    std::uint32_t count = 0;
    VkResult result = VK_INCOMPLETE;
    while (result == VK_INCOMPLETE) {
        result = vk.vkEnumeratePhysicalDevices(handle, &count, nullptr);
        if (result != VK_SUCCESS) break;
        handles.resize(count);
        result = vk.vkEnumeratePhysicalDevices(handle, &count, handles.data());
    }
    // A driver that is installed but finds no GPU of its own says this; it is an empty list, not a failure.
    if (result == VK_ERROR_INITIALIZATION_FAILED)
        count = 0;
    else if (result != VK_SUCCESS)
        return Error{Status::device, fmt::format("vkEnumeratePhysicalDevices: {}", name_of(result))};
    handles.resize(count);

    std::vector<DeviceInfo> found;
    for (const VkPhysicalDevice physical : handles) {
        auto device = query_device(vk, physical, api_version);
        if (device)
            found.push_back(std::move(device.value().info));
        else
            say(LogLevel::info, device.error().message);
    }
    const std::size_t before = found.size();
    devices = arrange_devices(std::move(found));
    if (devices.size() != before)
        say(LogLevel::info, fmt::format("{} entries were second drivers of the same GPU", before - devices.size()));
    if (devices.empty())
        return Error{Status::no_device, "no Vulkan 1.1 device found: is a Vulkan driver installed for this GPU?"};
    return {};
}

Instance::Instance() = default;
Instance::~Instance() = default;

Result<std::shared_ptr<Instance>> Instance::create(InstanceOptions options) {
    std::shared_ptr<Instance> instance(new Instance);
    instance->impl_ = std::make_unique<Impl>(std::move(options.log));
    FF_TRY(instance->impl_->create(options.validate));
    FF_TRY(instance->impl_->list_devices());
    return instance;
}

Result<std::shared_ptr<Instance>> Instance::adopt(const HostInstance &host, LogFunction log) {
    if (host.handle == VK_NULL_HANDLE) return Error{Status::argument, "the host's VkInstance is null"};
    if (host.api_version < VK_API_VERSION_1_1)
        return Error{Status::unsupported, fmt::format("the host's VkInstance was made for Vulkan {}, 1.1 is needed",
                                                      version_text(host.api_version))};
    const PFN_vkGetInstanceProcAddr entry =
        host.get_instance_proc_addr != nullptr ? host.get_instance_proc_addr : system_loader();
    if (entry == nullptr) return no_loader();
    std::shared_ptr<Instance> instance(new Instance);
    instance->impl_ = std::make_unique<Impl>(std::move(log));
    Impl &self = *instance->impl_;
    self.adopted = true;
    self.handle = host.handle;
    self.api_version = std::min<std::uint32_t>(host.api_version, VK_API_VERSION_1_3);
    self.vk.load(host.handle, entry);
    if (!host.debug_utils) { // some loaders hand out functions of extensions that are not enabled
        self.vk.vkSetDebugUtilsObjectNameEXT = nullptr;
        self.vk.vkCmdBeginDebugUtilsLabelEXT = nullptr;
        self.vk.vkCmdEndDebugUtilsLabelEXT = nullptr;
    }
    FF_TRY(self.list_devices());
    return instance;
}

VkInstance Instance::handle() const {
    return impl_->handle;
}
std::uint32_t Instance::api_version() const {
    return impl_->api_version;
}
const InstanceFunctions &Instance::vk() const {
    return impl_->vk;
}
const LogFunction &Instance::log() const {
    return impl_->log;
}
std::span<const DeviceInfo> Instance::devices() const {
    return impl_->devices;
}
Result<std::size_t> Instance::choose(std::string_view selector) const {
    return choose_device(impl_->devices, selector);
}
std::uint64_t Instance::validation_messages() const {
    return impl_->validation.messages();
}
std::string Instance::first_validation_message() const {
    return impl_->validation.first();
}

} // namespace ff::gpu
