// Device profiles: each takes away what a kind of device lacks; a profile is not a simulation, it is a way into the
// fallbacks. Those written here are extremes, and families whose drivers nobody can read without the device: their figures are
// the smallest that people run, from vulkan.gpuinfo.org. All others are the traits of captured devices.
#include "runtime/gpu/captured_devices.h"
#include "runtime/gpu/workarounds.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::gpu {
namespace {

template <class T>
void at_most(T &value, T limit) {
    value = std::min(value, limit);
}

// Alignment is the one number where more is less.
void align_at_least(DeviceTraits &traits, std::uint32_t alignment) {
    traits.storage_offset_alignment = std::max(traits.storage_offset_alignment, alignment);
}

void no_size_control(DeviceTraits &traits) {
    traits.subgroup_size_control = traits.subgroup_size_fixed = false;
    // Without control one size is reported, whatever runs.
    traits.subgroup_size_min = traits.subgroup_size_max = traits.subgroup_size;
    traits.matrix_shapes.clear(); // they go with a subgroup size
}

void no_integer_dot(DeviceTraits &traits) {
    traits.integer_dot_product = traits.integer_dot_accelerated = traits.integer_dot_mixed_accelerated = false;
}

void no_subgroup_operations(DeviceTraits &traits) {
    traits.subgroup_arithmetic = traits.subgroup_shuffle = traits.subgroup_clustered = false;
    no_size_control(traits);
}

void no_small_types(DeviceTraits &traits) {
    traits.storage16 = traits.storage8 = false;
    traits.float16 = traits.int16 = traits.int8 = false;
    no_integer_dot(traits);
    traits.matrix_shapes.clear();
}

void limits(DeviceTraits &traits, std::uint32_t invocations, std::uint32_t shared_bytes, std::uint32_t buffers,
            std::uint64_t range) {
    at_most(traits.max_workgroup_invocations, invocations);
    at_most(traits.max_workgroup_size_x, invocations);
    at_most(traits.max_shared_memory_bytes, shared_bytes);
    at_most(traits.max_storage_buffers, buffers);
    at_most(traits.max_storage_buffer_range, range);
}

// And what the workarounds for that driver take away.
void work_around(DeviceTraits &traits, std::string_view driver, std::uint32_t vendor_id) {
    DeviceInfo device;
    device.traits = traits;
    device.traits.driver = driver;
    device.traits.vendor_id = vendor_id;
    apply_workarounds(device);
    device.traits.driver = traits.driver;
    device.traits.vendor_id = traits.vendor_id;
    traits = std::move(device.traits);
}

constexpr std::uint32_t kQualcomm = 0x5143, kArm = 0x13b5, kIntel = 0x8086;
constexpr std::uint64_t kMiB = 1ULL << 20, kGiB = 1ULL << 30;

void native(DeviceTraits &) {}

void floor(DeviceTraits &traits) {
    const DeviceTraits least; // the defaults are Vulkan 1.1's required limits
    no_subgroup_operations(traits);
    no_small_types(traits);
    traits.buffer_addresses = traits.unified_memory = traits.memory_budget = traits.timeline_semaphore = false;
    traits.timestamp_valid_bits = 0;
    limits(traits, least.max_workgroup_invocations, least.max_shared_memory_bytes, least.max_storage_buffers,
           least.max_storage_buffer_range);
    at_most(traits.max_workgroup_count_x, least.max_workgroup_count_x);
    at_most(traits.max_push_constant_bytes, least.max_push_constant_bytes);
    at_most(traits.max_allocation_bytes, least.max_allocation_bytes);
    at_most(traits.most_submission_work, least.most_submission_work);
    align_at_least(traits, least.storage_offset_alignment);
}

void staged(DeviceTraits &traits) {
    traits.unified_memory = false;
}

void fences(DeviceTraits &traits) {
    traits.timeline_semaphore = false;
}

// Takes the mark away, not the device's lack: software devices execute the variants that GPUs get, if not to their gain.
void matrices(DeviceTraits &traits) {
    traits.matrices_slow = false;
}

void dot(DeviceTraits &traits) {
    traits.integer_dot_accelerated = traits.integer_dot_product;
}

// Sets a mark, for the same reason: any device that can makes the loads of all lanes together.
void lanes(DeviceTraits &traits) {
    traits.lane_loads_slow = true;
}

// Sizes of workgroups, tiles and steps go by it: software devices execute those that a discrete GPU gets.
void gpu(DeviceTraits &traits) {
    traits.driver = "gpu";
    traits.unified_memory = traits.lane_loads_slow = false;
}

void adreno(DeviceTraits &traits) { // Qualcomm's driver, Adreno 6xx
    no_size_control(traits);
    traits.storage8 = traits.int8 = false;
    no_integer_dot(traits);
    limits(traits, 1024, 32768, 24, 128 * kMiB);
    align_at_least(traits, 64);
    work_around(traits, "qualcomm", kQualcomm);
}

void mali(DeviceTraits &traits) { // Arm's driver, Bifrost and the first Valhall
    no_size_control(traits);
    no_integer_dot(traits);
    limits(traits, 384, 32768, 35, 256 * kMiB);
    align_at_least(traits, 16);
    work_around(traits, "arm", kArm);
}

void apple(DeviceTraits &traits) { // MoltenVK, M1
    no_size_control(traits);
    no_integer_dot(traits);
    limits(traits, 1024, 32768, 31, 4 * kGiB - 1);
    align_at_least(traits, 16);
}

void intel(DeviceTraits &traits) { // Windows driver
    limits(traits, 1024, 32768, 64, 4 * kGiB - 1);
    at_most(traits.max_allocation_bytes, 4 * kGiB - 4096);
    align_at_least(traits, 64);
    work_around(traits, "intel-windows", kIntel);
}

void nvidia(DeviceTraits &traits) { // discrete
    traits.unified_memory = false;
    limits(traits, 1024, 49152, 1U << 20, 4 * kGiB - 1);
    at_most(traits.max_push_constant_bytes, 256U);
    at_most(traits.max_allocation_bytes, 4 * kGiB);
    align_at_least(traits, 16);
}

std::string described(const CapturedDevice &device) {
    return fmt::format("{}, {} {}", device.info.name, device.info.driver_name, device.info.driver_info);
}

} // namespace

const std::vector<Profile> &profiles() {
    static const std::vector<Profile> list = [] {
        std::vector<Profile> all{
            {"native", "everything the device offers", native},
            {"floor", "Vulkan 1.1 and no optional feature: the least every device has", floor},
            {"staged", "as native, but weights travel through staging buffers", staged},
            {"fences", "as native, but without timeline semaphores", fences},
            {"matrices", "as native, with cooperative matrices also where they are slow, for tests", matrices},
            {"dot", "as native, with integer dot products also where they are slow, for tests", dot},
            {"lanes", "as native, with loads made for all lanes of a subgroup together, for tests", lanes},
            {"gpu", "as native, with the sizes of a discrete GPU, for tests", gpu},
            {"adreno", "Qualcomm Adreno 6xx: 128 MiB bindings, no 8-bit storage, no subgroup arithmetic, short submissions", adreno},
            {"mali", "Arm Mali: 384 invocations, 256 MiB bindings, no size control, short submissions", mali},
            {"apple", "Apple through MoltenVK: no size control, 31 buffers", apple},
            {"intel", "Intel on Windows: no integer dot product, 4 GB allocations", intel},
            {"nvidia", "discrete NVIDIA: staged uploads, 48 KiB shared memory", nvidia},
        };
        for (const CapturedDevice &device : captured_devices())
            all.push_back({device.profile, described(device),
                           [&device](DeviceTraits &traits) { mask_to(traits, device.info.traits); }});
        return all;
    }();
    return list;
}

const Profile *find_profile(std::string_view name) {
    for (const Profile &profile : profiles())
        if (profile.name == name) return &profile;
    return nullptr;
}

} // namespace ff::gpu
