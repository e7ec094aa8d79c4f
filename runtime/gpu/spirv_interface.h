// What a SPIR-V compute shader says about its own interface. Pure; any words may be given, damaged ones are refused.
#pragma once

#include "runtime/base/result.h"

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace ff::gpu {

struct SpirvInterface {
    std::string entry_point;                 // the first compute entry point
    std::uint32_t push_constant_bytes = 0;   // size of the block, 0 without one
    std::vector<std::uint32_t> bindings;     // of storage buffers in set 0, ascending, each once
    std::vector<std::uint32_t> constant_ids; // specialisation constants, ascending
    std::vector<std::uint32_t> capabilities; // as declared
    // Workgroup size by axis: the default value, and the constant id that replaces it, where there is one.
    struct Axis {
        std::uint32_t size = 1;
        bool specialised = false;
        std::uint32_t constant_id = 0;
    };
    std::array<Axis, 3> local_size;

    friend bool operator==(const SpirvInterface &, const SpirvInterface &) = default;
};

inline bool operator==(const SpirvInterface::Axis &a, const SpirvInterface::Axis &b) {
    return a.size == b.size && a.specialised == b.specialised && a.constant_id == b.constant_id;
}

// Fails with internal: a shader of ours that cannot be read was damaged on its way.
Result<SpirvInterface> read_spirv_interface(std::span<const std::uint32_t> words);

} // namespace ff::gpu
