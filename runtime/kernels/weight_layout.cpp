#include "runtime/kernels/weight_layout.h"

#include "runtime/kernels/stored_block.h"

#include <algorithm>
#include <bit>

namespace ff::kernels {
namespace {

using Bytes = std::span<const std::byte>;

static_assert(std::endian::native == std::endian::little,
              "groups of elements are packed as words, in the device's order");

constexpr std::uint32_t words_of_halves(std::uint32_t halves) {
    return (halves + 1) / 2;
}

// Words of the planes of a row, in their order.
struct Planes {
    std::uint32_t low, high, scales, more_scales;
    std::uint32_t words() const { return low + high + scales + more_scales; }
};

Planes planes_of(WeightType type, std::uint32_t groups) {
    switch (type) {
    case WeightType::q8_0:
        return {2 * groups, 0, words_of_halves(groups / 4), 0};
    case WeightType::q4_0:
        return {groups, 0, words_of_halves(groups / 4), 0};
    case WeightType::q4_1:
        return {groups, 0, groups / 4, 0};
    case WeightType::q5_0:
        return {groups, groups / 4, words_of_halves(groups / 4), 0};
    case WeightType::q5_1:
        return {groups, groups / 4, groups / 4, 0};
    case WeightType::q4_k:
        return {groups, 0, groups / 8, groups / 32};
    case WeightType::q5_k:
        return {groups, groups / 4, groups / 8, groups / 32};
    case WeightType::q6_k:
        return {groups, groups / 2, groups / 8, words_of_halves(groups / 32)};
    case WeightType::nf4:
        return {groups, 0, words_of_halves(groups / 8), 0};
    case WeightType::f32:
        return {8 * groups, 0, 0, 0};
    case WeightType::f16:
    case WeightType::bf16:
        break;
    }
    return {4 * groups, 0, 0, 0};
}

// Eight bytes, each the `bits` lowest of one of `bytes`, moved together: of byte i to bit bits * i.
template <unsigned kBits>
std::uint64_t together(std::uint64_t bytes) {
    static_assert(kBits == 1 || kBits == 2 || kBits == 4);
    bytes &= 0x0101010101010101U * ((1U << kBits) - 1);
    bytes |= bytes >> (8 - kBits);
    bytes &= 0x0001000100010001U * ((1U << 2 * kBits) - 1);
    bytes |= bytes >> (16 - 2 * kBits);
    bytes &= 0x0000000100000001U * ((1ULL << 4 * kBits) - 1);
    bytes |= bytes >> (32 - 4 * kBits);
    return bytes & ((1ULL << 8 * kBits) - 1);
}

// Byte j of word i becomes byte i of word j.
void transpose(std::array<std::uint64_t, 8> &words) {
    const auto swap = [&](std::size_t distance, unsigned shift, std::uint64_t mask) {
        for (std::size_t i = 0; i < 8; ++i) {
            if ((i & distance) != 0) continue;
            const std::uint64_t other = (words[i] >> shift ^ words[i + distance]) & mask;
            words[i] ^= other << shift;
            words[i + distance] ^= other;
        }
    };
    swap(4, 32, 0x00000000ffffffffU);
    swap(2, 16, 0x0000ffff0000ffffU);
    swap(1, 8, 0x00ff00ff00ff00ffU);
}

// A row or a strip under construction. Memory is only written, a word at least where it can be: it may be the device's,
// mapped, and slow to read.
template <WeightType kType>
class Row {
  public:
    Row(std::span<std::byte> bytes, std::uint32_t elements)
        : bytes_(bytes.data()), planes_(planes_of(kType, elements / 8)) {
        std::memset(bytes.data() + bytes.size() - 16, 0, 16); // what planes leave is less
    }
    // Eight elements' q, one a byte.
    void group(std::size_t index, std::uint64_t q) {
        if constexpr (kType == WeightType::q8_0) return put(8 * index, q);
        put(4 * index, static_cast<std::uint32_t>(together<4>(q)));
        const std::size_t high_at = std::size_t{4} * planes_.low;
        if constexpr (kType == WeightType::q6_k) {
            const std::uint64_t pairs = together<2>(q >> 4); // of elements 0 and 1, 2 and 3, ...: 4 bits each
            put(high_at + 2 * index, static_cast<std::uint16_t>((pairs & 15) << 4 | (pairs >> 4 & 15) << 12 |
                                                                (pairs >> 8 & 15) | (pairs >> 12 & 15) << 8));
        } else if constexpr (has_high_bit(kType)) {
            put(high_at + index, static_cast<std::uint8_t>(together<1>(q >> 4)));
        }
    }
    // Scales of the block that is the `index`-th here; those of its sub-blocks are `step` apart from `index` or from
    // the block's first on.
    void scales(const StoredBlock<kType> &block, std::size_t index, std::size_t sub, std::size_t step) {
        const std::size_t at = std::size_t{4} * (planes_.low + planes_.high),
                          more = at + std::size_t{4} * planes_.scales;
        if constexpr (has_minimum(kType)) {
            half(at, 2 * index, block.d);
            half(at, 2 * index + 1, block.m);
        } else if constexpr (kType == WeightType::q4_k || kType == WeightType::q5_k) {
            for (std::size_t j = 0; j < block.kSubBlocks; ++j)
                put(at + 2 * (sub + j * step), static_cast<std::uint16_t>(block.scales[j] | block.minima[j] << 8));
            half(more, 2 * index, block.d);
            half(more, 2 * index + 1, block.m);
        } else if constexpr (kType == WeightType::q6_k) {
            for (std::size_t j = 0; j < block.kSubBlocks; ++j) put(at + sub + j * step, block.scales[j]);
            half(more, index, block.d);
        } else {
            half(at, index, block.d);
        }
    }

  private:
    template <class Value>
    void put(std::size_t at, Value value) {
        std::memcpy(bytes_ + at, &value, sizeof value);
    }
    void half(std::size_t plane, std::size_t index, const std::byte *from) {
        std::memcpy(bytes_ + plane + 2 * index, from, 2);
    }

    std::byte *bytes_;
    Planes planes_;
};

std::uint64_t eight(const std::uint8_t *bytes) {
    std::uint64_t word;
    std::memcpy(&word, bytes, sizeof word);
    return word;
}

template <WeightType kType>
void pack_row_of(Bytes blocks, std::uint32_t columns, std::span<std::byte> bytes) {
    using Block = StoredBlock<kType>;
    const std::size_t count = columns / Block::kElements, block_bytes = blocks.size() / count;
    Row<kType> row(bytes, columns);
    Block block;
    for (std::size_t b = 0; b < count; ++b) {
        block.parse(blocks.data() + b * block_bytes);
        for (std::size_t g = 0; g < Block::kElements / 8; ++g)
            row.group(b * Block::kElements / 8 + g, eight(block.q.data() + 8 * g));
        row.scales(block, b, b * Block::kSubBlocks, 1);
    }
}

// Eight outputs at a time, whose elements become groups.
template <WeightType kType>
void pack_strips_of(Bytes rows, std::uint32_t outputs, std::uint32_t columns, std::uint32_t first,
                    std::span<std::byte> strips) {
    using Block = StoredBlock<kType>;
    static constexpr std::byte kZeros[kLargestBlock]{};
    const std::size_t stored_row = rows.size() / outputs, block_bytes = stored_row / (columns / Block::kElements),
                      bytes = strip_bytes(kType, outputs), groups = (outputs + 7) / 8;
    std::array<Block, 8> blocks;
    std::array<std::uint64_t, 8> words;
    for (std::size_t s = 0; s < strips.size() / bytes; ++s) {
        Row<kType> strip(strips.subspan(s * bytes, bytes), static_cast<std::uint32_t>(8 * groups * Block::kElements));
        for (std::size_t g = 0; g < groups; ++g) {
            for (std::size_t o = 0; o < 8; ++o) {
                const std::size_t output = 8 * g + o;
                blocks[o].parse(output < outputs ? rows.data() + output * stored_row + (first + s) * block_bytes
                                                 : kZeros);
                strip.scales(blocks[o], output, output, 8 * groups);
            }
            for (std::size_t i = 0; i < Block::kElements; i += 8) {
                for (std::size_t o = 0; o < 8; ++o) words[o] = eight(blocks[o].q.data() + i);
                transpose(words);
                for (std::size_t j = 0; j < 8; ++j) strip.group((i + j) * groups + g, words[j]);
            }
        }
    }
}

// `inputs` columns of `outputs` rows from `from` on become rows of eight values.
template <class Value>
void turn_tile(const std::byte *from, std::size_t row_bytes, std::size_t outputs, std::size_t inputs, std::byte *to,
               std::size_t strip_bytes) {
    Value rows[8][64 / sizeof(Value)]{};
    for (std::size_t o = 0; o < outputs; ++o) std::memcpy(rows[o], from + o * row_bytes, inputs * sizeof(Value));
    for (std::size_t i = 0; i < inputs; ++i) {
        const Value column[8] = {rows[0][i], rows[1][i], rows[2][i], rows[3][i],
                                 rows[4][i], rows[5][i], rows[6][i], rows[7][i]};
        std::memcpy(to + i * strip_bytes, column, sizeof column);
    }
}

// Plain values: columns of all rows, from `first` on. Eight outputs by a cache line of inputs at a time: rows are often
// a power of two apart, and more of them would drive each other out of the cache.
template <class Value>
void turn(Bytes rows, std::size_t outputs, std::size_t first, std::size_t strip_bytes, std::span<std::byte> strips) {
    constexpr std::size_t kInputs = 64 / sizeof(Value);
    const std::size_t row_bytes = rows.size() / outputs, count = strips.size() / strip_bytes;
    for (std::size_t c = 0; c < count; c += kInputs)
        for (std::size_t o = 0; o < outputs; o += 8) {
            const std::byte *from = rows.data() + o * row_bytes + (first + c) * sizeof(Value);
            std::byte *to = strips.data() + c * strip_bytes + o * sizeof(Value);
            if (count - c >= kInputs && outputs - o >= 8)
                turn_tile<Value>(from, row_bytes, 8, kInputs, to, strip_bytes);
            else
                turn_tile<Value>(from, row_bytes, std::min<std::size_t>(8, outputs - o), std::min(kInputs, count - c),
                                 to, strip_bytes);
        }
}

// Calls work.template operator()<type>() for a block type.
template <class Work>
void for_block_type(WeightType type, const Work &work) {
    switch (type) {
    case WeightType::f32:
    case WeightType::f16:
    case WeightType::bf16:
        return;
    case WeightType::q8_0:
        return work.template operator()<WeightType::q8_0>();
    case WeightType::q4_0:
        return work.template operator()<WeightType::q4_0>();
    case WeightType::q4_1:
        return work.template operator()<WeightType::q4_1>();
    case WeightType::q5_0:
        return work.template operator()<WeightType::q5_0>();
    case WeightType::q5_1:
        return work.template operator()<WeightType::q5_1>();
    case WeightType::q4_k:
        return work.template operator()<WeightType::q4_k>();
    case WeightType::q5_k:
        return work.template operator()<WeightType::q5_k>();
    case WeightType::q6_k:
        return work.template operator()<WeightType::q6_k>();
    case WeightType::nf4:
        return work.template operator()<WeightType::nf4>();
    }
}

} // namespace

std::string_view name_of(WeightType type) {
    switch (type) {
    case WeightType::f32:
        return "f32";
    case WeightType::f16:
        return "f16";
    case WeightType::bf16:
        return "bf16";
    case WeightType::q8_0:
        return "q8_0";
    case WeightType::q4_0:
        return "q4_0";
    case WeightType::q4_1:
        return "q4_1";
    case WeightType::q5_0:
        return "q5_0";
    case WeightType::q5_1:
        return "q5_1";
    case WeightType::q4_k:
        return "q4_k";
    case WeightType::q5_k:
        return "q5_k";
    case WeightType::q6_k:
        return "q6_k";
    case WeightType::nf4:
        return "nf4";
    }
    return "";
}

std::uint64_t row_bytes(WeightType type, std::uint32_t columns) {
    return (std::uint64_t{planes_of(type, (columns + 7) / 8).words()} + 3) / 4 * 16;
}

std::uint64_t strip_bytes(WeightType type, std::uint32_t outputs) {
    return row_bytes(type, block_elements(type) * ((outputs + 7) / 8 * 8));
}

void pack_row(WeightType type, std::span<const std::byte> blocks, std::uint32_t columns, std::span<std::byte> row) {
    for_block_type(type, [&]<WeightType kType>() { pack_row_of<kType>(blocks, columns, row); });
}

void pack_strips(WeightType type, std::span<const std::byte> rows, std::uint32_t outputs, std::uint32_t columns,
                 std::uint32_t first, std::span<std::byte> strips) {
    if (type == WeightType::f32) return turn<std::uint32_t>(rows, outputs, first, strip_bytes(type, outputs), strips);
    if (!is_block(type)) return turn<std::uint16_t>(rows, outputs, first, strip_bytes(type, outputs), strips);
    for_block_type(type, [&]<WeightType kType>() { pack_strips_of<kType>(rows, outputs, columns, first, strips); });
}

} // namespace ff::kernels
