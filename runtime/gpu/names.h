// Vulkan's numbers as words, for messages.
#pragma once

#include "runtime/gpu/vulkan.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace ff::gpu {

std::string name_of(VkResult result); // "VK_ERROR_DEVICE_LOST"
// Short name of a VkDriverId: "radv", "nvidia", "llvmpipe"; "unknown" for a driver younger than this table.
std::string_view driver_name(std::uint32_t driver_id);
std::string human_bytes(std::uint64_t bytes);        // "5.9 GB": decimal units, as graphics cards are sold
std::string version_text(std::uint32_t api_version); // "1.3.239"

} // namespace ff::gpu
