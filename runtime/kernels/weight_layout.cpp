#include "runtime/kernels/weight_layout.h"

#include <algorithm>
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

// The 6-bit scale and minimum of sub-block `j` of a q4_k or q5_k block (ggml's packing of eight of each into 12 bytes).
void scale_and_minimum(Bytes packed, std::size_t j, std::uint32_t &scale, std::uint32_t &minimum) {
    if (j < 4) {
        scale = u8(packed, j) & 63;
        minimum = u8(packed, j + 4) & 63;
    } else {
        scale = (u8(packed, j + 4) & 15) | (u8(packed, j - 4) >> 6) << 4;
        minimum = u8(packed, j + 4) >> 4 | (u8(packed, j) >> 6) << 4;
    }
}

// q4_0, q4_1, q5_0, q5_1: [d] or [d, m], [high bits], 16 bytes of nibbles: element i low in byte i, i + 16 high.
void pack_32(WeightType type, Bytes block, std::size_t index, const Planes &planes, Row &row) {
    const bool has_minimum = type == WeightType::q4_1 || type == WeightType::q5_1;
    const bool has_high = planes.high != 0;
    const std::size_t high_at = has_minimum ? 4 : 2, nibbles_at = high_at + (has_high ? 4 : 0);
    const std::size_t scales = planes.low + planes.high;
    for (std::size_t i = 0; i < 32; ++i) {
        const std::uint32_t byte = u8(block, nibbles_at + i % 16);
        row.bits(0, (32 * index + i) * 4, i < 16 ? byte & 15 : byte >> 4);
        if (has_high) row.bits(planes.low, 32 * index + i, u8(block, high_at + i / 8) >> (i % 8) & 1);
    }
    if (has_minimum) {
        row.half(scales, 2 * index, block.subspan(0, 2));
        row.half(scales, 2 * index + 1, block.subspan(2, 2));
    } else {
        row.half(scales, index, block.subspan(0, 2));
    }
}

// q4_k: d, dmin, 12 bytes of scales, 128 of nibbles; q5_k has 32 bytes of high bits before them. Nibbles come in runs of
// 64 elements: 32 low, then 32 high.
void pack_k(WeightType type, Bytes block, std::size_t index, const Planes &planes, Row &row) {
    const bool has_high = type == WeightType::q5_k;
    const std::size_t high_at = 16, nibbles_at = has_high ? 48 : 16, scales = planes.low + planes.high;
    for (std::size_t i = 0; i < 256; ++i) {
        const std::size_t sub = i / 32;
        const std::uint32_t byte = u8(block, nibbles_at + i / 64 * 32 + i % 32);
        row.bits(0, (256 * index + i) * 4, sub % 2 == 0 ? byte & 15 : byte >> 4);
        if (has_high) row.bits(planes.low, 256 * index + i, u8(block, high_at + i % 32) >> sub & 1);
    }
    for (std::size_t j = 0; j < 8; ++j) {
        std::uint32_t scale = 0, minimum = 0;
        scale_and_minimum(block.subspan(4, 12), j, scale, minimum);
        row.byte(scales, 2 * (8 * index + j), scale);
        row.byte(scales, 2 * (8 * index + j) + 1, minimum);
    }
    row.half(scales + planes.scales, 2 * index, block.subspan(0, 2));
    row.half(scales + planes.scales, 2 * index + 1, block.subspan(2, 2));
}

// q6_k: 128 bytes of low nibbles, 64 of high bit pairs, 16 int8 scales, d. Per 128 elements: 64 low bytes, 32 high ones; the
// q-th 32 of them have their low bits in the (q / 2)-th nibble of bytes 32 (q % 2) on, their high bits at bit 2 q.
void pack_q6_k(Bytes block, std::size_t index, const Planes &planes, Row &row) {
    for (std::size_t i = 0; i < 256; ++i) {
        const std::size_t half = i / 128, quarter = i % 128 / 32, at = i % 32;
        const std::uint32_t low = u8(block, 64 * half + quarter % 2 * 32 + at);
        row.bits(0, (256 * index + i) * 4, quarter < 2 ? low & 15 : low >> 4);
        row.bits(planes.low, (256 * index + i) * 2, u8(block, 128 + 32 * half + at) >> (2 * quarter) & 3);
    }
    const std::size_t scales = planes.low + planes.high;
    for (std::size_t j = 0; j < 16; ++j) row.byte(scales, 16 * index + j, u8(block, 192 + j));
    row.half(scales + planes.scales, index, block.subspan(208, 2));
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

void pack_row(WeightType type, std::span<const std::byte> blocks, std::uint32_t columns, std::span<std::byte> bytes) {
    const Planes planes = planes_of(type, columns / 8);
    const std::size_t count = columns / block_elements(type), block_bytes = blocks.size() / count;
    Row row(bytes);
    for (std::size_t b = 0; b < count; ++b) {
        const Bytes block = blocks.subspan(b * block_bytes, block_bytes);
        switch (type) {
        case WeightType::q8_0: // d, 32 bytes
            for (std::size_t i = 0; i < 32; ++i) row.byte(0, 32 * b + i, u8(block, 2 + i));
            row.half(planes.low, b, block.subspan(0, 2));
            break;
        case WeightType::q4_k:
        case WeightType::q5_k: pack_k(type, block, b, planes, row); break;
        case WeightType::q6_k: pack_q6_k(block, b, planes, row); break;
        case WeightType::nf4:
            for (std::size_t i = 0; i < 64; ++i) row.bits(0, (64 * b + i) * 4, u8(block, 2 + i / 2) >> (i % 2 * 4) & 15);
            row.half(planes.low, b, block.subspan(0, 2));
            break;
        default: pack_32(type, block, b, planes, row); break;
        }
    }
}

} // namespace ff::kernels
