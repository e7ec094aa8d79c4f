#include "runtime/gpu/workarounds.h"

#include <algorithm>

namespace ff::gpu {
namespace {

constexpr std::uint32_t kAmd = 0x1002;

constexpr Workaround kWorkarounds[] = {
    {"intel-windows", "integer dot products miscompute, or are slower than plain arithmetic",
     "ggml-vulkan's choice of mat-vec kernels, github.com/ggml-org/llama.cpp ggml/src/ggml-vulkan/ggml-vulkan.cpp",
     [](const DeviceInfo &device) { return device.traits.driver == "intel-windows"; },
     [](DeviceTraits &traits) { traits.integer_dot_product = traits.integer_dot_accelerated = false; }},
    {"moltenvk on AMD", "subgroup arithmetic gives wrong sums",
     "ggml-vulkan switches it off there, github.com/ggml-org/llama.cpp ggml/src/ggml-vulkan/ggml-vulkan.cpp",
     [](const DeviceInfo &device) { return device.traits.driver == "moltenvk" && device.traits.vendor_id == kAmd; },
     [](DeviceTraits &traits) { traits.subgroup_arithmetic = traits.subgroup_clustered = false; }},
    {"qualcomm",
     "kernels that reduce by subgroup alone, without shared memory, are wrong; the driver reports subgroups "
     "of 128 and runs 64",
     "github.com/ggml-org/llama.cpp/issues/12421 and /28635",
     [](const DeviceInfo &device) { return device.traits.driver == "qualcomm"; },
     [](DeviceTraits &traits) { traits.subgroup_arithmetic = traits.subgroup_clustered = false; }},
};

} // namespace

std::span<const Workaround> workarounds() {
    return kWorkarounds;
}

void apply_workarounds(DeviceInfo &device) {
    for (const Workaround &workaround : kWorkarounds)
        if (workaround.applies(device)) workaround.apply(device.traits);
}

} // namespace ff::gpu
