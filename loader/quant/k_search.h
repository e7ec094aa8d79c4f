// The integers and factors of a block of 256 values: scales of the groups first (scale_search), then both layers of
// integers and the factors improved in turn, each step only where it lowers the weighted error of the block.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace ff::loader {

constexpr std::size_t kGroups32 = 8, kGroups16 = 16; // of a block

// x ~ factor * scale[g] * q - minimum_factor * minimum[g], groups of 32; the factors are float16 values.
struct AffineLevels {
    float factor = 0, minimum_factor = 0;
    std::array<std::uint8_t, kGroups32> scale{}, minimum{}; // 0 to 63
    std::array<std::uint8_t, 256> q{};                      // 0 to `high`
};
AffineLevels affine_levels(std::span<const float, 256> values, int high);

// x ~ factor * scale[g] * q, groups of 16
struct SymmetricLevels {
    float factor = 0;
    std::array<std::int8_t, kGroups16> scale{};
    std::array<std::int8_t, 256> q{}; // -32 to 31
};
SymmetricLevels symmetric_levels(std::span<const float, 256> values);

} // namespace ff::loader
