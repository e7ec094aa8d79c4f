// What drivers claim and do not keep.
#pragma once

#include "runtime/gpu/instance.h"

namespace ff::gpu {

struct Workaround {
    std::string_view driver, symptom, source; // who, what was seen, where it is told
    bool (*applies)(const DeviceInfo &device);
    void (*apply)(DeviceTraits &traits);
};

std::span<const Workaround> workarounds();
void apply_workarounds(DeviceInfo &device); // only ever takes traits away

} // namespace ff::gpu
