// What a device can do, as plain data: read once from Vulkan, masked by a profile, compared in tests. Every choice of
// a kernel variant is a pure function of this struct.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace ff::gpu {

// A product that subgroups compute together: [rows, depth] x [depth, columns] (Vulkan's M, K and N) of float16, added up in
// float32.
struct MatrixShape {
    std::uint32_t rows = 0, columns = 0, depth = 0;
    friend bool operator==(const MatrixShape &, const MatrixShape &) = default;
};

struct DeviceTraits {
    // Identity, for the tuning table and for workarounds.
    std::uint32_t vendor_id = 0; // PCI vendor, or a Khronos vendor id
    std::uint32_t device_id = 0;
    std::string driver; // VkDriverId's short name: "llvmpipe", "radv", "nvidia", ...

    // Subgroups. The reported size is not always what runs: ask for one (control), or use gl_SubgroupSize.
    std::uint32_t subgroup_size = 1;
    std::uint32_t subgroup_size_min = 1, subgroup_size_max = 1; // what may run; equal without size control
    bool subgroup_size_control = false;                         // with full subgroups, for compute
    bool subgroup_size_fixed = false;                           // no other size ever runs: no need to ask for it
    bool subgroup_basic = false, subgroup_arithmetic = false, subgroup_shuffle = false, subgroup_clustered = false;

    // Arithmetic and storage beyond 32 bits a word.
    bool storage16 = false, storage8 = false;
    bool float16 = false, int16 = false, int8 = false; // arithmetic (the capabilities Float16, Int16, Int8)
    bool integer_dot_product = false;                  // may be used; slow where the next is false
    bool integer_dot_accelerated = false;              // packed 4x8 bits signed, in one instruction
    bool integer_dot_mixed_accelerated = false;        // and signed by unsigned

    // VK_KHR_cooperative_matrix: the shapes that the driver lists, which are what it can do; that it names the extension
    // says nothing, and a shape of another device crashes compilers. Empty where there are none.
    std::vector<MatrixShape> matrix_shapes;
    bool matrices_slow = false; // computed without matrix units: the ordinary kernels are chosen

    // A load from a place for each lane costs as many loads: kernels make such as one, of all lanes (shaders/lib/lane_loads.glsl).
    bool lane_loads_slow = false;
    bool buffer_addresses = false; // a buffer may be read through its address, which is not checked against the buffer's end

    // Memory and submission.
    bool unified_memory = false; // device memory is host visible: weights are written in place
    bool memory_budget = false;  // VK_EXT_memory_budget
    bool timeline_semaphore = false;
    std::uint32_t timestamp_valid_bits = 0; // 0: no timestamps on the compute queue
    float timestamp_period_ns = 1.0F;

    // Limits; the defaults are Vulkan's own floor.
    std::uint32_t max_workgroup_invocations = 128;
    std::uint32_t max_workgroup_size_x = 128;
    std::uint32_t max_workgroup_count_x = 65535;
    std::uint32_t max_shared_memory_bytes = 16384;
    std::uint32_t max_push_constant_bytes = 128;
    std::uint32_t max_storage_buffers = 4; // per shader stage
    std::uint64_t max_storage_buffer_range = 1ULL << 27;
    std::uint64_t max_allocation_bytes = 1ULL << 30;
    std::uint32_t storage_offset_alignment = 256;
    // Weight bytes times rows that one submission should have: drivers and systems end a device whose submission takes
    // seconds. Not asked of the driver, but guessed from the kind of device.
    std::uint64_t most_submission_work = 1ULL << 27;

    // Pipelines that computed wrongly on this device with this driver, by name ("head.f16_subgroup"): chosen only where
    // there is nothing else, and then refused. From the deny list (engine/deny_list.h) and from workarounds, not from the
    // driver.
    std::vector<std::string> denied;
    // Numbers that were measured to be best here (`firefinch tune`), by what they are of; kernels/tuning.h says what both
    // mean, and takes none that the device could not run.
    struct Tuned {
        std::string key;
        std::vector<std::uint32_t> values;
    };
    std::vector<Tuned> tuned;
};

// Where loads are made for all lanes, one by one, a check of each would take most of the time.
inline bool weights_by_address(const DeviceTraits &traits) {
    return traits.lane_loads_slow && traits.buffer_addresses;
}

// A profile takes traits away, so that every fallback runs on any machine: "native" leaves all, "floor" is Vulkan 1.1
// with no optional feature, others stand for a kind of device or are those of a real one (captured_devices.h). Never grants
// what the device lacks.
struct Profile {
    std::string_view name;   // ends with a zero
    std::string description; // one line for `firefinch devices --profiles`
    std::function<void(DeviceTraits &traits)> mask;
};
const std::vector<Profile> &profiles();
const Profile *find_profile(std::string_view name); // nullptr: no such profile

// "subgroups 8 (arithmetic, shuffle), 16-bit storage, ..." in one line, for people.
std::string summary(const DeviceTraits &traits);

} // namespace ff::gpu
