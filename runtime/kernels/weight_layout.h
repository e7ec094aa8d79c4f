// How a row of weights lies in device memory, for every type: the other half of shaders/lib/weights.glsl and
// block_weights.glsl. Rows start at multiples of 16 bytes. Plain types are padded with zeros to whole groups of eight
// elements. Block formats, whose rows are whole blocks, are cut into planes, each in the order of the row:
//   low bits     eight elements a word pair (q8_0: bytes) or word (the others: element i of a group in bits 4 i)
//   high bits    q5_*: a byte a group, bit i for element i; q6_k: 16 bits a group, two each for elements 4, 5, 0, 1, 6, 7, 2, 3,
//                which one shift and one mask bring to where the low bits of even and odd elements are
//   scales       q8_0, q4_0, q5_0: float16 a block of 32; q4_1, q5_1: float16 scale and minimum; nf4: float16 a block of 64
//                q4_k, q5_k: a byte scale and a byte minimum for each 32, then float16 d and dmin for each 256
//                q6_k: an int8 scale for each 16, then float16 d for each 256
// No value changes: this is ggml's block by another order, so that neighbouring lanes read neighbouring words.
//
// A matrix kept by input (ffn.value, whose inputs are mostly zero) is cut into strips instead, each the blocks of all
// outputs for one block of inputs (one input, of plain types): a row as above whose elements go [input][output], scales of
// sub-blocks [sub-block][output], scales of blocks [output]; outputs are padded to whole groups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace ff::kernels {

enum class WeightType : std::uint8_t { f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q4_k, q5_k, q6_k, nf4 };

std::string_view name_of(WeightType type);
constexpr std::uint32_t block_elements(WeightType type) { // 1 for plain types
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
constexpr bool is_block(WeightType type) { return block_elements(type) > 1; } // not f32, f16 or bf16
std::uint64_t row_bytes(WeightType type, std::uint32_t columns);

// One stored row of a block format (ggml's bytes; nf4: float16 absmax, then element 2 i in the low half of byte i) into
// device order. `columns` is a multiple of block_elements(type), `row` has row_bytes(type, columns) bytes.
void pack_row(WeightType type, std::span<const std::byte> blocks, std::uint32_t columns, std::span<std::byte> row);

std::uint64_t strip_bytes(WeightType type, std::uint32_t outputs);
// Strips from the `first` on, as many as `strips` has room for, of `outputs` stored rows of `columns` that follow one
// another.
void pack_strips(WeightType type, std::span<const std::byte> rows, std::uint32_t outputs, std::uint32_t columns,
                 std::uint32_t first, std::span<std::byte> strips);

} // namespace ff::kernels
