// Places inside a bound range, in the units the shaders count in (shaders/lib/interface.h).
#pragma once

#include "runtime/gpu/memory.h"

namespace ff::kernels {

inline std::uint32_t at16(const gpu::BufferView &bound, const gpu::BufferView &part) {
    return static_cast<std::uint32_t>((part.offset - bound.offset) / 16);
}
inline std::uint32_t at_float(const gpu::BufferView &bound, const gpu::BufferView &part) {
    return static_cast<std::uint32_t>((part.offset - bound.offset) / 4);
}
inline std::uint32_t groups_for(std::uint32_t elements) {
    return (elements + 7) / 8;
}
inline std::uint64_t padded_bytes(std::uint32_t floats) {
    return std::uint64_t{32} * groups_for(floats);
}

} // namespace ff::kernels
