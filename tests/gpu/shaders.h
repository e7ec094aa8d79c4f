// SPIR-V of the shaders beside this file.
#pragma once

#include <cstdint>
#include <span>

namespace ff::gpu::testing {
std::span<const std::uint32_t> add_shader();
std::span<const std::uint32_t> scale_shader();
} // namespace ff::gpu::testing
