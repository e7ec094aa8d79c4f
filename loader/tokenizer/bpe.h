// Byte pair encoding: neighbouring symbols are merged, best rank first, until no pair of them has a rank.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace ff::loader {

struct Bpe {
    struct Merge {
        std::uint32_t rank = 0, id = 0; // id: of the merged symbol
    };

    // The published vocabulary has no token for the bytes that never occur in UTF-8, such as 0xFE.
    static constexpr std::uint32_t kNoId = UINT32_MAX;
    std::array<std::uint32_t, 256> byte_ids{};
    std::unordered_map<std::uint64_t, Merge> merges;

    static std::uint64_t pair(std::uint32_t left, std::uint32_t right) { return std::uint64_t{left} << 32 | right; }

    // Appends the ids of one word, each byte of which has an id, in O(n log n) for n bytes: a word may be a megabyte of
    // one letter.
    void encode(std::string_view word, std::vector<std::uint32_t> &ids) const;
};

} // namespace ff::loader
