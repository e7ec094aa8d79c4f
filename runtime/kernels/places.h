// Places inside a bound range, in the units the shaders count in (shaders/lib/interface.h).
#pragma once

#include "runtime/gpu/memory.h"
#include "runtime/kernels/padding.h"

namespace ff::kernels {

inline std::uint32_t at16(const gpu::BufferView &bound, const gpu::BufferView &part) {
    return static_cast<std::uint32_t>((part.offset - bound.offset) / 16);
}
inline std::uint32_t at_float(const gpu::BufferView &bound, const gpu::BufferView &part) {
    return static_cast<std::uint32_t>((part.offset - bound.offset) / 4);
}

} // namespace ff::kernels
