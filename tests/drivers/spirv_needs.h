// What a SPIR-V compute shader needs of a device when its specialisation constants have given values.
#pragma once

#include "runtime/gpu/pipeline.h"
#include "runtime/gpu/traits.h"

namespace ff::test {

struct SpirvNeeds {
    std::uint64_t shared_bytes = 0; // of its variables in workgroup memory, without padding
    std::vector<std::uint32_t> capabilities;
};
// Throws where the module uses an instruction that this little reader does not know.
SpirvNeeds spirv_needs(std::span<const std::uint32_t> words, std::span<const gpu::SpecConstant> constants);

// The first capability that a device with these traits does not offer, by name; empty if none.
std::string missing_capability(const SpirvNeeds &needs, const gpu::DeviceTraits &traits);

} // namespace ff::test
