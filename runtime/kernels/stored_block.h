// Blocks as files store them (ggml's formats; nf4: float16 absmax, then element 2 i in the low half of byte i), taken
// apart: element i is a function of q[i] and of its scales.
#pragma once

#include "runtime/kernels/weight_layout.h"

#include <array>
#include <cstring>

namespace ff::kernels {

constexpr std::size_t kLargestBlock = 210; // bytes, of q6_k

constexpr bool has_minimum(WeightType type) {
    return type == WeightType::q4_1 || type == WeightType::q5_1;
}
constexpr bool has_high_bit(WeightType type) {
    return type == WeightType::q5_0 || type == WeightType::q5_1 || type == WeightType::q5_k;
}

template <WeightType kType>
struct StoredBlock {
    static constexpr std::size_t kElements = block_elements(kType);
    static constexpr std::size_t kSubBlocks =
        kType == WeightType::q6_k ? 16 : 8; // of 16 or 32 elements, where there are such

    std::array<std::uint8_t, kElements> q;
    std::array<std::uint8_t, kSubBlocks> scales, minima; // q6_k; q4_k, q5_k
    const std::byte *d, *m; // float16 each; m: the minimum, or what minima are multiplied by

    void parse(const std::byte *stored) {
        const auto *bytes = reinterpret_cast<const std::uint8_t *>(stored);
        if constexpr (kType == WeightType::q8_0)
            parse_q8_0(bytes);
        else if constexpr (kType == WeightType::nf4)
            parse_nf4(bytes);
        else if constexpr (kType == WeightType::q4_k || kType == WeightType::q5_k)
            parse_k(bytes);
        else if constexpr (kType == WeightType::q6_k)
            parse_q6_k(bytes);
        else
            parse_32(bytes);
        d = kType == WeightType::q6_k ? stored + 208 : stored;
        m = stored + 2;
    }

  private:
    // d, 32 bytes
    void parse_q8_0(const std::uint8_t *bytes) { std::memcpy(q.data(), bytes + 2, kElements); }

    // d, 32 bytes of nibbles
    void parse_nf4(const std::uint8_t *bytes) {
        for (std::size_t i = 0; i < 32; ++i) {
            q[2 * i] = bytes[2 + i] & 15;
            q[2 * i + 1] = bytes[2 + i] >> 4;
        }
    }

    // q4_0, q4_1, q5_0, q5_1: [d] or [d, m], [high bits], 16 bytes of nibbles: element i low in byte i, i + 16 high.
    void parse_32(const std::uint8_t *bytes) {
        constexpr std::size_t high_at = has_minimum(kType) ? 4 : 2,
                              nibbles_at = high_at + (has_high_bit(kType) ? 4 : 0);
        for (std::size_t i = 0; i < 16; ++i) {
            q[i] = bytes[nibbles_at + i] & 15;
            q[i + 16] = bytes[nibbles_at + i] >> 4;
        }
        if constexpr (has_high_bit(kType))
            for (std::size_t byte = 0; byte < 4; ++byte) {
                // Bit i of the byte alone in byte i, then moved to bit 4, where it is worth 16.
                std::uint64_t high = bytes[high_at + byte] * 0x0101010101010101U & 0x8040201008040201U, low;
                high = (high + 0x7f7f7f7f7f7f7f7fU) >> 3 & 0x1010101010101010U;
                std::memcpy(&low, q.data() + 8 * byte, 8);
                low |= high;
                std::memcpy(q.data() + 8 * byte, &low, 8);
            }
    }

    // q4_k: d, dmin, 12 bytes of scales, 128 of nibbles; q5_k has 32 bytes of high bits before them. Nibbles come in
    // runs of 64 elements: 32 low, then 32 high. Scales and minima have 6 bits (ggml's packing of eight of each).
    void parse_k(const std::uint8_t *bytes) {
        constexpr std::size_t high_at = 16, nibbles_at = kType == WeightType::q5_k ? 48 : 16;
        for (std::size_t run = 0; run < 4; ++run)
            for (std::size_t i = 0; i < 32; ++i) {
                const std::uint8_t byte = bytes[nibbles_at + 32 * run + i];
                q[64 * run + i] = byte & 15;
                q[64 * run + 32 + i] = byte >> 4;
            }
        if constexpr (kType == WeightType::q5_k)
            for (std::size_t sub = 0; sub < 8; ++sub)
                for (std::size_t i = 0; i < 32; ++i)
                    q[32 * sub + i] |= static_cast<std::uint8_t>((bytes[high_at + i] >> sub & 1) << 4);
        const std::uint8_t *packed = bytes + 4;
        for (std::size_t j = 0; j < 4; ++j) {
            scales[j] = packed[j] & 63;
            minima[j] = packed[j + 4] & 63;
            scales[j + 4] = static_cast<std::uint8_t>((packed[j + 8] & 15) | (packed[j] >> 6) << 4);
            minima[j + 4] = static_cast<std::uint8_t>(packed[j + 8] >> 4 | (packed[j + 4] >> 6) << 4);
        }
    }

    // 128 bytes of low nibbles, 64 of high bit pairs, 16 int8 scales, d. Per 128 elements: 64 low bytes, 32 high ones;
    // the q-th 32 of them have their low bits in the (q / 2)-th nibble of bytes 32 (q % 2) on, their high bits at bit 2
    // q.
    void parse_q6_k(const std::uint8_t *bytes) {
        for (std::size_t half = 0; half < 2; ++half)
            for (std::size_t quarter = 0; quarter < 4; ++quarter)
                for (std::size_t i = 0; i < 32; ++i) {
                    const std::uint8_t low = bytes[64 * half + 32 * (quarter % 2) + i] >> (quarter / 2 * 4) & 15;
                    const std::uint8_t high = bytes[128 + 32 * half + i] >> (2 * quarter) & 3;
                    q[128 * half + 32 * quarter + i] = static_cast<std::uint8_t>(low | high << 4);
                }
        std::memcpy(scales.data(), bytes + 192, kSubBlocks);
    }
};

} // namespace ff::kernels
