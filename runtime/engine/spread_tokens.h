// Tokens to time and compare with, spread over the whole vocabulary: the same ones every time.
#pragma once

#include <cstdint>
#include <vector>

namespace ff::engine {

inline std::vector<std::uint32_t> spread_tokens(std::size_t count, std::uint32_t vocabulary) {
    std::vector<std::uint32_t> tokens(count);
    for (std::size_t i = 0; i < count; ++i) tokens[i] = static_cast<std::uint32_t>((i + 1) * 2654435761U % vocabulary);
    return tokens;
}

} // namespace ff::engine
