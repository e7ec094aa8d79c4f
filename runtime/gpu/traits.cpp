#include "runtime/gpu/traits.h"

#include "runtime/gpu/names.h"

#include <fmt/format.h>

namespace ff::gpu {

std::string summary(const DeviceTraits &traits) {
    std::vector<std::string> parts;
    const auto add = [&](bool has, std::string_view word) {
        if (has) parts.emplace_back(word);
    };

    std::vector<std::string_view> operations;
    if (traits.subgroup_arithmetic) operations.push_back("arithmetic");
    if (traits.subgroup_shuffle) operations.push_back("shuffle");
    if (traits.subgroup_clustered) operations.push_back("clustered");
    if (operations.empty()) operations.push_back(traits.subgroup_basic ? "basic only" : "no operations");
    const std::string sizes = traits.subgroup_size_min == traits.subgroup_size_max
                                  ? fmt::format("{}", traits.subgroup_size)
                                  : fmt::format("{}-{}", traits.subgroup_size_min, traits.subgroup_size_max);
    parts.push_back(fmt::format("subgroups {} ({}{})", sizes, fmt::join(operations, ", "),
                                traits.subgroup_size_control ? ", size control" : ""));

    add(traits.storage16, "16-bit storage");
    add(traits.storage8, "8-bit storage");
    add(traits.float16, "float16");
    add(traits.int16, "int16");
    add(traits.int8, "int8");
    add(traits.integer_dot_product,
        traits.integer_dot_accelerated ? "integer dot product" : "slow integer dot product");
    if (!traits.matrix_shapes.empty()) {
        std::vector<std::string> shapes;
        for (const MatrixShape &shape : traits.matrix_shapes)
            shapes.push_back(fmt::format("{}x{}x{}", shape.rows, shape.columns, shape.depth));
        parts.push_back(fmt::format("{}cooperative matrices {}", traits.matrices_slow ? "slow " : "",
                                    fmt::join(shapes, ", ")));
    }
    add(traits.lane_loads_slow, "slow loads by lane");
    add(traits.buffer_addresses, "buffer addresses");
    add(traits.unified_memory, "unified memory");
    add(traits.timeline_semaphore, "timeline semaphores");
    add(traits.memory_budget, "memory budget");
    add(traits.timestamp_valid_bits != 0, "timestamps");
    parts.push_back(fmt::format("{} invocations", traits.max_workgroup_invocations));
    parts.push_back(fmt::format("{} KiB shared", traits.max_shared_memory_bytes / 1024));
    parts.push_back(
        fmt::format("{} buffers of {}", traits.max_storage_buffers, human_bytes(traits.max_storage_buffer_range)));
    parts.push_back(fmt::format("allocations to {}", human_bytes(traits.max_allocation_bytes)));
    return fmt::format("{}", fmt::join(parts, ", "));
}

} // namespace ff::gpu
