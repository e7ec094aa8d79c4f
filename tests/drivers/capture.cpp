// Prints what a device can do as a row of runtime/gpu/captured_devices.def: capture NAME. Needs nothing of the project but
// runtime/gpu, so that it is built for other processors in seconds (tests/drivers/run).
#include "runtime/gpu/instance.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

using namespace ff::gpu;

namespace {

std::string shapes(const DeviceTraits &traits) {
    std::string out;
    for (const MatrixShape &shape : traits.matrix_shapes)
        out += fmt::format("{}{{{}, {}, {}}}", out.empty() ? "" : ", ", shape.rows, shape.columns, shape.depth);
    return out;
}

std::string_view type_word(DeviceType type) { // an enumerator
    return type == DeviceType::virtual_gpu ? "virtual_gpu" : name_of(type);
}

// Drivers take parts of a name from the machine around them: RADV the processor's, NVK none.
std::string device_name(std::string_view name, const DeviceInfo &device) {
    const auto codename = device.name.find(" (RADV ");
    if (codename != device.name.npos && device.name.find("Radeon") == device.name.npos)
        return "AMD Radeon Graphics" + device.name.substr(codename);
    if (device.name == "NVK ") return fmt::format("NVIDIA, {}", name.substr(name.find('-') + 1));
    return device.name;
}

std::string row(std::string_view name, const DeviceInfo &device) {
    const DeviceTraits &t = device.traits;
    std::string out;
    const auto line = [&](std::string_view text) { out += fmt::format("    {}\n", text); };
    out += fmt::format("FF_CAPTURED(\"{}\", \"{}\", \"{}\", \"{}\", {:#x}, {:#x}, {}, {}ULL,\n", name, device_name(name, device),
                       device.driver_name, device.driver_info, device.driver_version, device.api_version,
                       type_word(device.type),
                       device.type == DeviceType::discrete ? device.memory_bytes : 0); // else it is this machine's
    line(fmt::format("(.vendor_id = {:#x}, .device_id = {:#x}, .driver = \"{}\",", t.vendor_id, t.device_id, t.driver));
    line(fmt::format(" .subgroup_size = {}, .subgroup_size_min = {}, .subgroup_size_max = {}, .subgroup_size_control = {}, "
                     ".subgroup_size_fixed = {},",
                     t.subgroup_size, t.subgroup_size_min, t.subgroup_size_max, t.subgroup_size_control,
                     t.subgroup_size_fixed));
    line(fmt::format(" .subgroup_basic = {}, .subgroup_arithmetic = {}, .subgroup_shuffle = {}, .subgroup_clustered = {},",
                     t.subgroup_basic, t.subgroup_arithmetic, t.subgroup_shuffle, t.subgroup_clustered));
    line(fmt::format(" .storage16 = {}, .storage8 = {}, .float16 = {}, .int16 = {}, .int8 = {},", t.storage16, t.storage8,
                     t.float16, t.int16, t.int8));
    line(fmt::format(" .integer_dot_product = {}, .integer_dot_accelerated = {}, .integer_dot_mixed_accelerated = {},",
                     t.integer_dot_product, t.integer_dot_accelerated, t.integer_dot_mixed_accelerated));
    line(fmt::format(" .matrix_shapes = {{{}}}, .matrices_slow = {},", shapes(t), t.matrices_slow));
    line(fmt::format(" .lane_loads_slow = {}, .buffer_addresses = {},", t.lane_loads_slow, t.buffer_addresses));
    line(fmt::format(" .unified_memory = {}, .memory_budget = {}, .timeline_semaphore = {},",
                     t.unified_memory, t.memory_budget, t.timeline_semaphore));
    line(fmt::format(" .timestamp_valid_bits = {}, .timestamp_period_ns = {:#}F,", t.timestamp_valid_bits,
                     t.timestamp_period_ns));
    line(fmt::format(" .max_workgroup_invocations = {}, .max_workgroup_size_x = {}, .max_workgroup_count_x = {}U,",
                     t.max_workgroup_invocations, t.max_workgroup_size_x, t.max_workgroup_count_x));
    line(fmt::format(" .max_shared_memory_bytes = {}, .max_push_constant_bytes = {}, .max_storage_buffers = {}U,",
                     t.max_shared_memory_bytes, t.max_push_constant_bytes, t.max_storage_buffers));
    line(fmt::format(" .max_storage_buffer_range = {}ULL, .max_allocation_bytes = {}ULL, .storage_offset_alignment = {},",
                     t.max_storage_buffer_range, t.max_allocation_bytes, t.storage_offset_alignment));
    line(fmt::format(" .most_submission_work = {}ULL))", t.most_submission_work));
    return out;
}

} // namespace

int main(int count, char **arguments) {
    if (count != 2) {
        std::fputs("use: capture NAME\n", stderr);
        return 2;
    }
    int status = 0;
    if (const auto instance = Instance::create({}); !instance || instance.value()->devices().empty()) {
        std::fprintf(stderr, "%s\n", instance ? "no device" : instance.error().message.c_str());
        status = 1;
    } else {
        std::fputs(row(arguments[1], instance.value()->devices().front()).c_str(), stdout);
    }
    std::fflush(stdout);
    std::_Exit(status); // drivers that only pretend may crash on their way out
}
