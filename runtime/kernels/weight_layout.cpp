#include "runtime/kernels/weight_layout.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <initializer_list>

namespace ff::kernels {
namespace {

using Bytes = std::span<const std::byte>;

std::uint32_t u8(Bytes bytes, std::size_t at) { return std::to_integer<std::uint32_t>(bytes[at]); }

// A row under construction. Planes are found by their first word.
class Row {
  public:
    explicit Row(std::span<std::byte> bytes) : bytes_(bytes) { std::ranges::fill(bytes_, std::byte{0}); }
    // `count` bits of `value` at bit `bit` behind word `word`; they do not straddle bytes.
    void bits(std::size_t word, std::size_t bit, std::uint32_t value) {
        bytes_[4 * word + bit / 8] |= static_cast<std::byte>(value << (bit % 8));
    }
    void byte(std::size_t word, std::size_t index, std::uint32_t value) { bytes_[4 * word + index] = static_cast<std::byte>(value); }
    void half(std::size_t word, std::size_t index, Bytes from) {
        std::memcpy(bytes_.data() + 4 * word + 2 * index, from.data(), 2);
    }

  private:
    std::span<std::byte> bytes_;
};

// Words of the planes of a row, in their order.
struct Planes {
    std::uint32_t low, high, scales, more_scales;
    std::uint32_t words() const { return low + high + scales + more_scales; }
};

std::uint32_t words_of_halves(std::uint32_t halves) { return (halves + 1) / 2; }

Planes planes_of(WeightType type, std::uint32_t groups) {
    switch (type) {
    case WeightType::q8_0: return {2 * groups, 0, words_of_halves(groups / 4), 0};
    case WeightType::q4_0: return {groups, 0, words_of_halves(groups / 4), 0};
    case WeightType::q4_1: return {groups, 0, groups / 4, 0};
    case WeightType::q5_0: return {groups, groups / 4, words_of_halves(groups / 4), 0};
    case WeightType::q5_1: return {groups, groups / 4, groups / 4, 0};
    case WeightType::q4_k: return {groups, 0, groups / 8, groups / 32};
    case WeightType::q5_k: return {groups, groups / 4, groups / 8, groups / 32};
    case WeightType::q6_k: return {groups, groups / 2, groups / 8, words_of_halves(groups / 32)};
    case WeightType::nf4: return {groups, 0, words_of_halves(groups / 8), 0};
    case WeightType::f32: return {8 * groups, 0, 0, 0};
    case WeightType::f16:
    case WeightType::bf16: break;
    }
    return {4 * groups, 0, 0, 0};
}

// A stored block, taken apart: element i is a function of q[i] and of its scales.
struct Block {
    std::array<std::uint8_t, 256> q{};
    Bytes d, m;                             // float16 each; m: the minimum, or what minima are multiplied by
    std::array<std::uint8_t, 16> scales{};  // of 16 (q6_k) or 32 elements (q4_k, q5_k)
    std::array<std::uint8_t, 8> minima{};
};

// q4_0, q4_1, q5_0, q5_1: [d] or [d, m], [high bits], 16 bytes of nibbles: element i low in byte i, i + 16 high.
void parse_32(WeightType type, Bytes bytes, Block &block) {
    const bool has_minimum = type == WeightType::q4_1 || type == WeightType::q5_1;
    const bool has_high = type == WeightType::q5_0 || type == WeightType::q5_1;
    const std::size_t high_at = has_minimum ? 4 : 2, nibbles_at = high_at + (has_high ? 4 : 0);
    for (std::size_t i = 0; i < 32; ++i) {
        const std::uint32_t byte = u8(bytes, nibbles_at + i % 16);
        const std::uint32_t high = has_high ? u8(bytes, high_at + i / 8) >> (i % 8) & 1 : 0;
        block.q[i] = static_cast<std::uint8_t>((i < 16 ? byte & 15 : byte >> 4) | high << 4);
    }
    block.d = bytes.subspan(0, 2);
    if (has_minimum) block.m = bytes.subspan(2, 2);
}

// q4_k: d, dmin, 12 bytes of scales, 128 of nibbles; q5_k has 32 bytes of high bits before them. Nibbles come in runs of
// 64 elements: 32 low, then 32 high. Scales and minima have 6 bits (ggml's packing of eight of each).
void parse_k(WeightType type, Bytes bytes, Block &block) {
    const bool has_high = type == WeightType::q5_k;
    const std::size_t high_at = 16, nibbles_at = has_high ? 48 : 16;
    for (std::size_t i = 0; i < 256; ++i) {
        const std::size_t sub = i / 32;
        const std::uint32_t byte = u8(bytes, nibbles_at + i / 64 * 32 + i % 32);
        const std::uint32_t high = has_high ? u8(bytes, high_at + i % 32) >> sub & 1 : 0;
        block.q[i] = static_cast<std::uint8_t>((sub % 2 == 0 ? byte & 15 : byte >> 4) | high << 4);
    }
    const Bytes packed = bytes.subspan(4, 12);
    for (std::size_t j = 0; j < 4; ++j) {
        block.scales[j] = static_cast<std::uint8_t>(u8(packed, j) & 63);
        block.minima[j] = static_cast<std::uint8_t>(u8(packed, j + 4) & 63);
        block.scales[j + 4] = static_cast<std::uint8_t>((u8(packed, j + 8) & 15) | (u8(packed, j) >> 6) << 4);
        block.minima[j + 4] = static_cast<std::uint8_t>(u8(packed, j + 8) >> 4 | (u8(packed, j + 4) >> 6) << 4);
    }
    block.d = bytes.subspan(0, 2);
    block.m = bytes.subspan(2, 2);
}

// q6_k: 128 bytes of low nibbles, 64 of high bit pairs, 16 int8 scales, d. Per 128 elements: 64 low bytes, 32 high ones; the
// q-th 32 of them have their low bits in the (q / 2)-th nibble of bytes 32 (q % 2) on, their high bits at bit 2 q.
void parse_q6_k(Bytes bytes, Block &block) {
    for (std::size_t i = 0; i < 256; ++i) {
        const std::size_t half = i / 128, quarter = i % 128 / 32, at = i % 32;
        const std::uint32_t low = u8(bytes, 64 * half + quarter % 2 * 32 + at);
        const std::uint32_t high = u8(bytes, 128 + 32 * half + at) >> (2 * quarter) & 3;
        block.q[i] = static_cast<std::uint8_t>((quarter < 2 ? low & 15 : low >> 4) | high << 4);
    }
    for (std::size_t j = 0; j < 16; ++j) block.scales[j] = static_cast<std::uint8_t>(u8(bytes, 192 + j));
    block.d = bytes.subspan(208, 2);
}

Block parse(WeightType type, Bytes bytes) {
    Block block;
    switch (type) {
    case WeightType::q8_0: // d, 32 bytes
        for (std::size_t i = 0; i < 32; ++i) block.q[i] = static_cast<std::uint8_t>(u8(bytes, 2 + i));
        block.d = bytes.subspan(0, 2);
        break;
    case WeightType::nf4: // d, 32 bytes of nibbles: element 2 i low in byte i
        for (std::size_t i = 0; i < 64; ++i)
            block.q[i] = static_cast<std::uint8_t>(u8(bytes, 2 + i / 2) >> (i % 2 * 4) & 15);
        block.d = bytes.subspan(0, 2);
        break;
    case WeightType::q4_k:
    case WeightType::q5_k: parse_k(type, bytes, block); break;
    case WeightType::q6_k: parse_q6_k(bytes, block); break;
    default: parse_32(type, bytes, block); break;
    }
    return block;
}

// Where a block goes in a row: its elements, its sub-blocks' scales and its own are counted through the planes.
struct Place {
    std::size_t element, element_step, sub, sub_step, scale;
};

void put(WeightType type, const Block &block, const Place &place, const Planes &planes, Row &row) {
    const std::size_t count = block_elements(type), scales = planes.low + planes.high;
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t at = place.element + i * place.element_step;
        const std::uint32_t q = block.q[i];
        if (type == WeightType::q8_0) row.byte(0, at, q);
        else row.bits(0, 4 * at, q & 15);
        if (type == WeightType::q6_k) row.bits(planes.low, 2 * at, q >> 4);
        else if (planes.high != 0) row.bits(planes.low, at, q >> 4);
    }
    switch (type) {
    case WeightType::q4_1:
    case WeightType::q5_1:
        row.half(scales, 2 * place.scale, block.d);
        row.half(scales, 2 * place.scale + 1, block.m);
        break;
    case WeightType::q4_k:
    case WeightType::q5_k:
        for (std::size_t j = 0; j < 8; ++j) {
            const std::size_t at = place.sub + j * place.sub_step;
            row.byte(scales, 2 * at, block.scales[j]);
            row.byte(scales, 2 * at + 1, block.minima[j]);
        }
        row.half(scales + planes.scales, 2 * place.scale, block.d);
        row.half(scales + planes.scales, 2 * place.scale + 1, block.m);
        break;
    case WeightType::q6_k:
        for (std::size_t j = 0; j < 16; ++j) row.byte(scales, place.sub + j * place.sub_step, block.scales[j]);
        row.half(scales + planes.scales, place.scale, block.d);
        break;
    default: row.half(scales, place.scale, block.d); break;
    }
}

std::size_t sub_blocks(WeightType type) { return type == WeightType::q6_k ? 16 : 8; }

// Plain values: `count` columns of every row from `first` on become rows of their own.
template <class Value>
void turn(Bytes rows, std::size_t row_bytes, std::size_t outputs, std::size_t first, std::size_t count,
          std::size_t strip_bytes, std::span<std::byte> strips) {
    constexpr std::size_t kTile = 32; // of both sides, so that neither leaves the cache
    std::ranges::fill(strips, std::byte{0});
    for (std::size_t o = 0; o < outputs; o += kTile)
        for (std::size_t c = 0; c < count; c += kTile)
            for (std::size_t i = c; i < std::min(c + kTile, count); ++i)
                for (std::size_t j = o; j < std::min(o + kTile, outputs); ++j)
                    std::memcpy(strips.data() + i * strip_bytes + j * sizeof(Value),
                                rows.data() + j * row_bytes + (first + i) * sizeof(Value), sizeof(Value));
}

} // namespace

std::string_view name_of(WeightType type) {
    switch (type) {
    case WeightType::f32: return "f32";
    case WeightType::f16: return "f16";
    case WeightType::bf16: return "bf16";
    case WeightType::q8_0: return "q8_0";
    case WeightType::q4_0: return "q4_0";
    case WeightType::q4_1: return "q4_1";
    case WeightType::q5_0: return "q5_0";
    case WeightType::q5_1: return "q5_1";
    case WeightType::q4_k: return "q4_k";
    case WeightType::q5_k: return "q5_k";
    case WeightType::q6_k: return "q6_k";
    case WeightType::nf4: return "nf4";
    }
    return "";
}

bool is_block(WeightType type) { return block_elements(type) > 1; }

std::uint32_t block_elements(WeightType type) {
    switch (type) {
    case WeightType::f32:
    case WeightType::f16:
    case WeightType::bf16: return 1;
    case WeightType::q4_k:
    case WeightType::q5_k:
    case WeightType::q6_k: return 256;
    case WeightType::nf4: return 64;
    default: return 32;
    }
}

std::uint64_t row_bytes(WeightType type, std::uint32_t columns) {
    return (std::uint64_t{planes_of(type, (columns + 7) / 8).words()} + 3) / 4 * 16;
}

std::uint64_t strip_bytes(WeightType type, std::uint32_t outputs) {
    return row_bytes(type, block_elements(type) * ((outputs + 7) / 8 * 8));
}

void pack_row(WeightType type, std::span<const std::byte> blocks, std::uint32_t columns, std::span<std::byte> bytes) {
    const Planes planes = planes_of(type, columns / 8);
    const std::size_t elements = block_elements(type), subs = sub_blocks(type), count = columns / elements,
                      block_bytes = blocks.size() / count;
    Row row(bytes);
    for (std::size_t b = 0; b < count; ++b)
        put(type, parse(type, blocks.subspan(b * block_bytes, block_bytes)), {elements * b, 1, subs * b, 1, b}, planes,
            row);
}

void pack_strips(WeightType type, std::span<const std::byte> rows, std::uint32_t outputs, std::uint32_t columns,
                 std::uint32_t first, std::span<std::byte> strips) {
    const std::size_t stored_row = rows.size() / outputs, bytes = strip_bytes(type, outputs),
                      count = strips.size() / bytes;
    if (type == WeightType::f32) return turn<float>(rows, stored_row, outputs, first, count, bytes, strips);
    if (!is_block(type)) return turn<std::uint16_t>(rows, stored_row, outputs, first, count, bytes, strips);
    const std::uint32_t padded = (outputs + 7) / 8 * 8;
    const Planes planes = planes_of(type, block_elements(type) * padded / 8);
    const std::size_t block_bytes = stored_row / (columns / block_elements(type));
    for (std::size_t s = 0; s < count; ++s) {
        Row strip(strips.subspan(s * bytes, bytes));
        for (std::size_t o = 0; o < outputs; ++o)
            put(type, parse(type, rows.subspan(o * stored_row + (first + s) * block_bytes, block_bytes)),
                {o, padded, o, padded, o}, planes, strip);
    }
}

} // namespace ff::kernels
