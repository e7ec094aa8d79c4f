// The compiled shaders in the library, which are kept compressed.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace ff::kernels {

// One for each row of shaders/variants.def, in its order.
struct EmbeddedSpirv {
    std::vector<std::uint32_t> words; // of all of them
    std::vector<std::span<const std::uint32_t>> modules;
};
EmbeddedSpirv unpack_spirv();

} // namespace ff::kernels
