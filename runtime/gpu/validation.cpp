#include "runtime/gpu/validation.h"

#include <string_view>

namespace ff::gpu {
namespace {

struct Harmless {
    std::string_view part; // of the message id or text
    std::string_view reason;
};
// Messages that are not counted; each needs a reason.
constexpr Harmless kHarmless[] = {
    {"VK_EXT_validation_features", "newer layers prefer VK_EXT_layer_settings, which older headers do not have"},
};

bool is_harmless(std::string_view id, std::string_view text) {
    for (const Harmless &harmless : kHarmless)
        if (id.find(harmless.part) != std::string_view::npos || text.find(harmless.part) != std::string_view::npos)
            return true;
    return false;
}

} // namespace

VkDebugUtilsMessengerCreateInfoEXT ValidationLog::messenger() {
    VkDebugUtilsMessengerCreateInfoEXT info{};
    info.sType = VK_STRUCTURE_TYPE_DEBUG_UTILS_MESSENGER_CREATE_INFO_EXT;
    info.messageSeverity =
        VK_DEBUG_UTILS_MESSAGE_SEVERITY_WARNING_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT;
    info.messageType = VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT | VK_DEBUG_UTILS_MESSAGE_TYPE_VALIDATION_BIT_EXT |
                       VK_DEBUG_UTILS_MESSAGE_TYPE_PERFORMANCE_BIT_EXT;
    info.pfnUserCallback = report;
    info.pUserData = this;
    return info;
}

std::uint64_t ValidationLog::messages() const {
    const std::lock_guard lock(mutex_);
    return messages_;
}

std::string ValidationLog::first() const {
    const std::lock_guard lock(mutex_);
    return first_;
}

VkBool32 ValidationLog::report(VkDebugUtilsMessageSeverityFlagBitsEXT severity, VkDebugUtilsMessageTypeFlagsEXT types,
                               const VkDebugUtilsMessengerCallbackDataEXT *data, void *self) {
    ValidationLog &log = *static_cast<ValidationLog *>(self);
    const std::string_view id = data->pMessageIdName != nullptr ? data->pMessageIdName : "";
    const std::string_view text = data->pMessage != nullptr ? data->pMessage : "";
    // General messages are the loader's and the drivers' talk about installation, not about our use of the API.
    const bool general = types == VK_DEBUG_UTILS_MESSAGE_TYPE_GENERAL_BIT_EXT;
    const bool counts = !general && !is_harmless(id, text);
    const bool error = (severity & VK_DEBUG_UTILS_MESSAGE_SEVERITY_ERROR_BIT_EXT) != 0;

    const std::lock_guard lock(log.mutex_);
    if (counts && log.messages_++ == 0) log.first_ = text;
    if (log.log_) log.log_(!counts ? LogLevel::debug : error ? LogLevel::error : LogLevel::warning, text);
    return VK_FALSE;
}

} // namespace ff::gpu
