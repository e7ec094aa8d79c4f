#include "runtime/gpu/workarounds.h"

#include <algorithm>

namespace ff::gpu {
namespace {

constexpr std::uint32_t kAmd = 0x1002, kIntel = 0x8086;

bool amd_proprietary(const DeviceTraits &traits) {
    return traits.driver == "amd" || traits.driver == "amdvlk";
}

// Adreno, Mali, PowerVR and VideoCore, by whichever driver.
bool mobile(const DeviceTraits &traits) {
    constexpr std::string_view kDrivers[] = {"qualcomm", "turnip", "arm", "panvk", "powervr", "powervr-mesa", "v3dv"};
    return std::ranges::find(kDrivers, traits.driver) != std::end(kDrivers);
}

constexpr Workaround kWorkarounds[] = {
    {"Adreno, Mali, PowerVR, VideoCore",
     "long submissions end in a hang or a lost device: a prompt, or a batch above 32",
     "github.com/ggml-org/llama.cpp/issues/10406 and /23359 (Mali), /8743 and /12139 (Adreno)",
     [](const DeviceInfo &device) { return mobile(device.traits); },
     // Less than half a second at 10 G multiply-adds of them a second.
     [](DeviceTraits &traits) {
         traits.most_submission_work = std::min<std::uint64_t>(traits.most_submission_work, 1ULL << 32);
     }},
    {"panvk",
     "its compiler does not come back from wide_wkv6 and wide_wkv7 with subgroups (Mesa 26.2, Mali-G310 and G610)",
     "tests/drivers/run --stages compile: no answer in five minutes, where others take seconds",
     [](const DeviceInfo &device) { return device.traits.driver == "panvk"; },
     [](DeviceTraits &traits) {
         traits.denied = {"wide_wkv6.subgroup", "wide_wkv7.subgroup"};
     }},
    {"intel-windows", "integer dot products miscompute, or are slower than plain arithmetic",
     "ggml-vulkan's choice of mat-vec kernels, github.com/ggml-org/llama.cpp ggml/src/ggml-vulkan/ggml-vulkan.cpp",
     [](const DeviceInfo &device) { return device.traits.driver == "intel-windows"; },
     [](DeviceTraits &traits) {
         traits.integer_dot_product = traits.integer_dot_accelerated = traits.integer_dot_mixed_accelerated = false;
     }},
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
    {"amd, amdvlk", "cooperative matrices are offered by GPUs that have no matrix units, those before RDNA 3",
     "ggml-vulkan uses them on RDNA 3 and later only, which it knows by mixed-sign dot products; "
     "github.com/ggml-org/llama.cpp ggml/src/ggml-vulkan/ggml-vulkan.cpp",
     [](const DeviceInfo &device) {
         return amd_proprietary(device.traits) && !device.traits.integer_dot_mixed_accelerated;
     },
     [](DeviceTraits &traits) { traits.matrix_shapes.clear(); }},
    {"Intel before Xe2",
     "cooperative matrices are slower than ordinary arithmetic (Arc A770), and spill registers (Mesa 26.2)",
     "ggml-vulkan uses them on Xe2 only, whose subgroups are 16 and more; "
     "github.com/ggml-org/llama.cpp ggml/src/ggml-vulkan/ggml-vulkan.cpp",
     [](const DeviceInfo &device) { return device.traits.vendor_id == kIntel && device.traits.subgroup_size_min < 16; },
     [](DeviceTraits &traits) { traits.matrix_shapes.clear(); }},
    {"software devices",
     "cooperative matrices are loops over their elements: a prompt takes three to four times as long",
     "measured, docs/design.md", [](const DeviceInfo &device) { return device.type == DeviceType::software; },
     [](DeviceTraits &traits) { traits.matrices_slow = true; }},
    {"llvmpipe since Mesa 26", "a load from a place for each lane takes three times as long as eight from one place for all (LLVM 22)",
     "measured, docs/design.md",
     [](const DeviceInfo &device) {
         return device.traits.driver == "llvmpipe" && VK_API_VERSION_MAJOR(device.driver_version) >= 26;
     },
     [](DeviceTraits &traits) { traits.lane_loads_slow = true; }},
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
