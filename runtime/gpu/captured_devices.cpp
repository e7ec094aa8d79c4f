#include "runtime/gpu/captured_devices.h"

#include "runtime/gpu/names.h"
#include "runtime/gpu/workarounds.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::gpu {
namespace {

// What is of no driver stays empty.
#define FF_TRAITS(...)                                                                                                 \
    {                                                                                                                  \
        __VA_ARGS__, .denied = {}, .tuned = {}                                                                         \
    }
std::vector<CapturedDevice> read_table() {
    std::vector<CapturedDevice> devices = {
#define FF_CAPTURED(profile, name, driver_name, driver_info, driver_version, api_version, type, memory_bytes, traits)  \
    {profile,                                                                                                          \
     {VK_NULL_HANDLE, name, driver_name, driver_info, std::string(32, '0'), driver_version, api_version,               \
      DeviceType::type, memory_bytes, DeviceTraits FF_TRAITS traits}},
#include "runtime/gpu/captured_devices.def"
#undef FF_CAPTURED
    };
    for (CapturedDevice &device : devices)
        apply_workarounds(device.info); // what they deny is not among the traits read
    return devices;
}
const std::vector<CapturedDevice> &table() {
    static const std::vector<CapturedDevice> devices = read_table();
    return devices;
}
#undef FF_TRAITS

// The traits that a device has or has not.
constexpr struct {
    bool DeviceTraits::*trait;
    std::string_view words;
} kFlags[] = {
    {&DeviceTraits::subgroup_basic, "subgroups"},
    {&DeviceTraits::subgroup_arithmetic, "subgroup arithmetic"},
    {&DeviceTraits::subgroup_shuffle, "subgroup shuffle"},
    {&DeviceTraits::subgroup_clustered, "clustered subgroup operations"},
    {&DeviceTraits::storage16, "16-bit storage"},
    {&DeviceTraits::storage8, "8-bit storage"},
    {&DeviceTraits::float16, "float16"},
    {&DeviceTraits::int16, "int16"},
    {&DeviceTraits::int8, "int8"},
    {&DeviceTraits::integer_dot_product, "integer dot products"},
    {&DeviceTraits::integer_dot_accelerated, "fast integer dot products"},
    {&DeviceTraits::integer_dot_mixed_accelerated, "fast integer dot products of mixed signs"},
    {&DeviceTraits::buffer_addresses, "buffer addresses"},
    {&DeviceTraits::unified_memory, "unified memory"},
    {&DeviceTraits::memory_budget, "memory budget"},
    {&DeviceTraits::timeline_semaphore, "timeline semaphores"},
};

constexpr struct {
    std::uint32_t DeviceTraits::*limit;
    std::string_view words;
} kLimits[] = {
    {&DeviceTraits::max_workgroup_invocations, "invocations in a workgroup"},
    {&DeviceTraits::max_workgroup_size_x, "invocations along x"},
    {&DeviceTraits::max_workgroup_count_x, "workgroups"},
    {&DeviceTraits::max_shared_memory_bytes, "bytes of shared memory"},
    {&DeviceTraits::max_push_constant_bytes, "bytes of push constants"},
    {&DeviceTraits::max_storage_buffers, "storage buffers"},
};

constexpr struct {
    std::uint64_t DeviceTraits::*limit;
    std::string_view words;
} kBytes[] = {
    {&DeviceTraits::max_storage_buffer_range, "a binding"},
    {&DeviceTraits::max_allocation_bytes, "an allocation"},
};

bool contains(const std::vector<MatrixShape> &shapes, const MatrixShape &shape) {
    return std::find(shapes.begin(), shapes.end(), shape) != shapes.end();
}

std::string sizes_text(const DeviceTraits &traits) {
    return traits.subgroup_size_min == traits.subgroup_size_max
               ? fmt::format("{}", traits.subgroup_size)
               : fmt::format("{} to {}", traits.subgroup_size_min, traits.subgroup_size_max);
}

} // namespace

std::span<const CapturedDevice> captured_devices() {
    return table();
}

const CapturedDevice *find_captured_device(std::string_view profile) {
    const auto found = std::ranges::find(table(), profile, &CapturedDevice::profile);
    return found == table().end() ? nullptr : &*found;
}

void mask_to(DeviceTraits &traits, const DeviceTraits &captured) {
    for (const auto &[trait, words] : kFlags) traits.*trait = traits.*trait && captured.*trait;
    for (const auto &[limit, words] : kLimits) traits.*limit = std::min(traits.*limit, captured.*limit);
    for (const auto &[limit, words] : kBytes) traits.*limit = std::min(traits.*limit, captured.*limit);
    traits.most_submission_work = std::min(traits.most_submission_work, captured.most_submission_work);
    traits.timestamp_valid_bits = std::min(traits.timestamp_valid_bits, captured.timestamp_valid_bits);
    traits.storage_offset_alignment = std::max(traits.storage_offset_alignment, captured.storage_offset_alignment);
    std::erase_if(traits.matrix_shapes,
                  [&](const MatrixShape &shape) { return !contains(captured.matrix_shapes, shape); });
    traits.matrices_slow = traits.matrices_slow || captured.matrices_slow;
    traits.lane_loads_slow = traits.lane_loads_slow || captured.lane_loads_slow;
    for (const std::string &name : captured.denied)
        if (std::ranges::find(traits.denied, name) == traits.denied.end()) traits.denied.push_back(name);
    if (traits.subgroup_size_control && captured.subgroup_size_control) {
        const std::uint32_t least = std::max(traits.subgroup_size_min, captured.subgroup_size_min);
        const std::uint32_t most = std::min(traits.subgroup_size_max, captured.subgroup_size_max);
        if (least <= most) traits.subgroup_size_min = least, traits.subgroup_size_max = most;
    } else {
        // What may run is then the driver's choice and not known.
        traits.subgroup_size_control = false;
        traits.subgroup_size_fixed = traits.subgroup_size_fixed && captured.subgroup_size_fixed;
        if (!traits.subgroup_size_fixed) traits.matrix_shapes.clear();
        traits.subgroup_size_min = traits.subgroup_size_max = traits.subgroup_size;
    }
}

std::string lacking(const DeviceTraits &device, const DeviceTraits &captured) {
    std::vector<std::string> parts;
    if (captured.subgroup_basic && (captured.subgroup_size_min < device.subgroup_size_min ||
                                    captured.subgroup_size_max > device.subgroup_size_max))
        parts.push_back(fmt::format("subgroups of {} (here {})", sizes_text(captured), sizes_text(device)));
    for (const auto &[trait, words] : kFlags)
        if (captured.*trait && !(device.*trait)) parts.emplace_back(words);
    std::vector<std::string> shapes;
    for (const MatrixShape &shape : captured.matrix_shapes)
        if (!contains(device.matrix_shapes, shape))
            shapes.push_back(fmt::format("{}x{}x{}", shape.rows, shape.columns, shape.depth));
    if (!shapes.empty()) parts.push_back(fmt::format("cooperative matrices {}", fmt::join(shapes, ", ")));
    for (const auto &[limit, words] : kLimits)
        if (captured.*limit > device.*limit)
            parts.push_back(fmt::format("{} {} (here {})", captured.*limit, words, device.*limit));
    for (const auto &[limit, words] : kBytes)
        if (captured.*limit > device.*limit)
            parts.push_back(
                fmt::format("{} of {} (here {})", words, human_bytes(captured.*limit), human_bytes(device.*limit)));
    return fmt::format("{}", fmt::join(parts, ", "));
}

} // namespace ff::gpu
