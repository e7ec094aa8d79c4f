#include "runtime/gpu/names.h"

#include <fmt/format.h>

namespace ff::gpu {

std::string name_of(VkResult result) {
    switch (result) {
#define FF_GPU_NAME(name)                                                                                              \
    case name:                                                                                                         \
        return #name;
        FF_GPU_NAME(VK_SUCCESS)
        FF_GPU_NAME(VK_NOT_READY)
        FF_GPU_NAME(VK_TIMEOUT)
        FF_GPU_NAME(VK_INCOMPLETE)
        FF_GPU_NAME(VK_ERROR_OUT_OF_HOST_MEMORY)
        FF_GPU_NAME(VK_ERROR_OUT_OF_DEVICE_MEMORY)
        FF_GPU_NAME(VK_ERROR_INITIALIZATION_FAILED)
        FF_GPU_NAME(VK_ERROR_DEVICE_LOST)
        FF_GPU_NAME(VK_ERROR_MEMORY_MAP_FAILED)
        FF_GPU_NAME(VK_ERROR_LAYER_NOT_PRESENT)
        FF_GPU_NAME(VK_ERROR_EXTENSION_NOT_PRESENT)
        FF_GPU_NAME(VK_ERROR_FEATURE_NOT_PRESENT)
        FF_GPU_NAME(VK_ERROR_INCOMPATIBLE_DRIVER)
        FF_GPU_NAME(VK_ERROR_TOO_MANY_OBJECTS)
        FF_GPU_NAME(VK_ERROR_FRAGMENTED_POOL)
        FF_GPU_NAME(VK_ERROR_UNKNOWN)
        FF_GPU_NAME(VK_ERROR_OUT_OF_POOL_MEMORY)
        FF_GPU_NAME(VK_ERROR_FRAGMENTATION)
        FF_GPU_NAME(VK_ERROR_NOT_PERMITTED_KHR)
        FF_GPU_NAME(VK_ERROR_INVALID_SHADER_NV)
        FF_GPU_NAME(VK_PIPELINE_COMPILE_REQUIRED)
#undef FF_GPU_NAME
    default:
        return fmt::format("VkResult {}", static_cast<int>(result));
    }
}

// Numbers, not enumerators: drivers are younger than the headers of a stable distribution.
// https://registry.khronos.org/vulkan/specs/latest/man/html/VkDriverId.html
std::string_view driver_name(std::uint32_t driver_id) {
    switch (driver_id) {
    case 1:
        return "amd"; // AMD's proprietary driver
    case 2:
        return "amdvlk";
    case 3:
        return "radv";
    case 4:
        return "nvidia";
    case 5:
        return "intel-windows";
    case 6:
        return "anv";
    case 7:
        return "powervr"; // Imagination's own
    case 8:
        return "qualcomm";
    case 9:
        return "arm";
    case 10:
        return "swiftshader";
    case 11:
        return "ggp";
    case 12:
        return "broadcom";
    case 13:
        return "llvmpipe";
    case 14:
        return "moltenvk";
    case 15:
        return "coreavi";
    case 16:
        return "juice";
    case 17:
        return "verisilicon";
    case 18:
        return "turnip";
    case 19:
        return "v3dv";
    case 20:
        return "panvk";
    case 21:
        return "samsung";
    case 22:
        return "venus";
    case 23:
        return "dozen";
    case 24:
        return "nvk";
    case 25:
        return "powervr-mesa";
    case 26:
        return "honeykrisp";
    case 28:
        return "kosmickrisp";
    default:
        return "unknown";
    }
}

std::string human_bytes(std::uint64_t bytes) {
    const double value = static_cast<double>(bytes);
    if (value >= 999.95e6) return fmt::format("{:.1f} GB", value / 1e9);
    if (value >= 999.95e3) return fmt::format("{:.1f} MB", value / 1e6);
    if (bytes >= 1000) return fmt::format("{:.1f} KB", value / 1e3);
    return fmt::format("{} bytes", bytes);
}

std::string version_text(std::uint32_t api_version) {
    return fmt::format("{}.{}.{}", VK_API_VERSION_MAJOR(api_version), VK_API_VERSION_MINOR(api_version),
                       VK_API_VERSION_PATCH(api_version));
}

} // namespace ff::gpu
