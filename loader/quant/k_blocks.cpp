// q4_k, q5_k, q6_k: 256 elements in groups, whose scales are integers times the block's factors.
#include "loader/quant/block_bytes.h"
#include "loader/quant/blocks.h"
#include "loader/quant/k_search.h"

namespace ff::loader {

namespace {

// Where the parts of q4_k and q5_k are.
constexpr std::size_t kPacked = 4, kFifth = 16;
template <bool fifth>
constexpr std::size_t kNibbles = fifth ? 48 : 16;

struct ScaleAndMinimum {
    unsigned scale, minimum;
};

ScaleAndMinimum unpack(const std::byte *block, std::size_t group) {
    const auto p = [&](std::size_t i) { return byte_at(block, kPacked + i); };
    if (group < 4) return {p(group) & 63, p(group + 4) & 63};
    return {(p(group + 4) & 15) | (p(group - 4) >> 6 << 4), (p(group + 4) >> 4) | (p(group) >> 6 << 4)};
}

void pack(std::byte *block, const AffineLevels &levels) {
    for (std::size_t g = 0; g < 4; ++g) {
        const unsigned scale = levels.scale[g], minimum = levels.minimum[g];
        const unsigned later_scale = levels.scale[g + 4], later_minimum = levels.minimum[g + 4];
        set_byte(block, kPacked + g, scale | (later_scale >> 4 << 6));
        set_byte(block, kPacked + g + 4, minimum | (later_minimum >> 4 << 6));
        set_byte(block, kPacked + g + 8, (later_scale & 15) | ((later_minimum & 15) << 4));
    }
}

template <bool fifth>
void decode_affine(const std::byte *block, float *values) {
    const float factor = factor_at(block, 0), minimum_factor = factor_at(block, 2);
    for (std::size_t group = 0; group < kGroups32; ++group) {
        const ScaleAndMinimum integers = unpack(block, group);
        const float scale = factor * static_cast<float>(integers.scale);
        const float minimum = minimum_factor * static_cast<float>(integers.minimum);
        for (std::size_t i = 0; i < 32; ++i) {
            unsigned q = byte_at(block, kNibbles<fifth> + 32 * (group / 2) + i);
            q = group % 2 == 0 ? q & 15 : q >> 4;
            if constexpr (fifth) q |= ((byte_at(block, kFifth + i) >> group) & 1) << 4;
            values[32 * group + i] = scale * static_cast<float>(q) - minimum;
        }
    }
}

template <bool fifth>
void encode_affine(const float *values, std::byte *block) {
    const AffineLevels levels = affine_levels(std::span<const float, 256>(values, 256), fifth ? 31 : 15);
    set_factor(block, 0, levels.factor);
    set_factor(block, 2, levels.minimum_factor);
    pack(block, levels);
    const auto q = [&](std::size_t group, std::size_t i) -> unsigned { return levels.q[32 * group + i]; };
    for (std::size_t group = 0; group < kGroups32; group += 2)
        for (std::size_t i = 0; i < 32; ++i)
            set_byte(block, kNibbles<fifth> + 16 * group + i, (q(group, i) & 15) | ((q(group + 1, i) & 15) << 4));
    if constexpr (fifth)
        for (std::size_t i = 0; i < 32; ++i) {
            unsigned bits = 0;
            for (std::size_t group = 0; group < kGroups32; ++group) bits |= q(group, i) >> 4 << group;
            set_byte(block, kFifth + i, bits);
        }
}

// q6_k: where element e of a block has its parts.
constexpr std::size_t kUpper = 128, kScales = 192, kFactor = 208;
struct Place6 {
    std::size_t low, upper;
    unsigned low_shift, upper_shift;
};
Place6 place6(std::size_t e) {
    const std::size_t half = e / 128, quarter = e / 32 % 4, l = e % 32;
    return {64 * half + 32 * (quarter & 1) + l, kUpper + 32 * half + l, quarter < 2 ? 0u : 4u,
            static_cast<unsigned>(2 * quarter)};
}

} // namespace

void decode_q4_k(const std::byte *block, float *values) {
    decode_affine<false>(block, values);
}
void decode_q5_k(const std::byte *block, float *values) {
    decode_affine<true>(block, values);
}
void encode_q4_k(const float *values, std::byte *block) {
    encode_affine<false>(values, block);
}
void encode_q5_k(const float *values, std::byte *block) {
    encode_affine<true>(values, block);
}

void decode_q6_k(const std::byte *block, float *values) {
    const float factor = factor_at(block, kFactor);
    for (std::size_t e = 0; e < 256; ++e) {
        const Place6 at = place6(e);
        const unsigned q =
            ((byte_at(block, at.low) >> at.low_shift) & 15) | (((byte_at(block, at.upper) >> at.upper_shift) & 3) << 4);
        const float scale = factor * static_cast<float>(static_cast<std::int8_t>(byte_at(block, kScales + e / 16)));
        values[e] = scale * static_cast<float>(static_cast<int>(q) - 32);
    }
}

void encode_q6_k(const float *values, std::byte *block) {
    const SymmetricLevels levels = symmetric_levels(std::span<const float, 256>(values, 256));
    std::memset(block, 0, kScales);
    for (std::size_t e = 0; e < 256; ++e) {
        const Place6 at = place6(e);
        const auto q = static_cast<unsigned>(levels.q[e] + 32);
        block[at.low] |= static_cast<std::byte>((q & 15) << at.low_shift);
        block[at.upper] |= static_cast<std::byte>((q >> 4) << at.upper_shift);
    }
    for (std::size_t group = 0; group < kGroups16; ++group)
        set_byte(block, kScales + group, static_cast<unsigned>(levels.scale[group]) & 255);
    set_factor(block, kFactor, levels.factor);
}

} // namespace ff::loader
