// Vectors and rows on the device are padded with zeros to whole groups of eight elements.
#pragma once

#include <cstdint>

namespace ff::kernels {

inline std::uint32_t groups_for(std::uint32_t elements) {
    return (elements + 7) / 8;
}
inline std::uint64_t padded_bytes(std::uint32_t floats) {
    return std::uint64_t{32} * groups_for(floats);
}

} // namespace ff::kernels
