// Devices whose traits were read from their drivers and are kept as data (captured_devices.def): any of them can be planned
// for on any machine, and --profile masks a device to one.
#pragma once

#include "runtime/gpu/instance.h"

namespace ff::gpu {

struct CapturedDevice {
    std::string_view profile; // the name it is asked for by
    DeviceInfo info;          // after workarounds, as a device at hand would be
};

std::span<const CapturedDevice> captured_devices();
const CapturedDevice *find_captured_device(std::string_view profile); // nullptr: no such profile

// Takes from `traits` what the captured device does not have, and marks what is slow or denied there. What `traits` lacks, stays lacking; a subgroup size that only
// the captured device can run is not there either.
void mask_to(DeviceTraits &traits, const DeviceTraits &captured);
// What `captured` has and `device` lacks, so that masking cannot show it: "subgroups of 32 to 64 (here 8), cooperative matrices
// 16x16x16"; empty if nothing.
std::string lacking(const DeviceTraits &device, const DeviceTraits &captured);

} // namespace ff::gpu
