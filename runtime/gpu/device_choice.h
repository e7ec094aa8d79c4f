// Which devices are offered, in which order, and which one a selector means: decided on plain data.
#pragma once

#include "runtime/gpu/instance.h"

namespace ff::gpu {

// Sorts best first and leaves one entry for each UUID: see Instance::devices(). An all-zero UUID says nothing about
// identity and is never merged.
std::vector<DeviceInfo> arrange_devices(std::vector<DeviceInfo> devices);

// See Instance::choose().
Result<std::size_t> choose_device(std::span<const DeviceInfo> devices, std::string_view selector);

} // namespace ff::gpu
