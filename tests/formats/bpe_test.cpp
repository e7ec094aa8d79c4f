#include "loader/tokenizer/bpe.h"

#include <doctest/doctest.h>
#include <random>

using ff::loader::Bpe;

namespace {

// Merges over the letters a, b, c: each new symbol joins two earlier ones, at random.
Bpe random_bpe(std::mt19937 &random) {
    Bpe bpe;
    for (std::uint32_t byte = 0; byte < 256; ++byte) bpe.byte_ids[byte] = byte;
    std::vector<std::uint32_t> symbols = {'a', 'b', 'c'};
    for (std::uint32_t rank = 0; rank < 12; ++rank) {
        const std::uint32_t left = symbols[random() % symbols.size()], right = symbols[random() % symbols.size()];
        if (bpe.merges.emplace(Bpe::pair(left, right), Bpe::Merge{rank, 256 + rank}).second)
            symbols.push_back(256 + rank);
    }
    return bpe;
}

// The definition: the best pair, leftmost among equals, again and again.
std::vector<std::uint32_t> slow(const Bpe &bpe, std::string_view word) {
    std::vector<std::uint32_t> ids;
    for (const char c : word) ids.push_back(bpe.byte_ids[static_cast<unsigned char>(c)]);
    while (true) {
        std::size_t best = ids.size();
        Bpe::Merge merge{UINT32_MAX, 0};
        for (std::size_t i = 0; i + 1 < ids.size(); ++i) {
            const auto found = bpe.merges.find(Bpe::pair(ids[i], ids[i + 1]));
            if (found != bpe.merges.end() && found->second.rank < merge.rank) {
                best = i;
                merge = found->second;
            }
        }
        if (best == ids.size()) return ids;
        ids[best] = merge.id;
        ids.erase(ids.begin() + static_cast<std::ptrdiff_t>(best) + 1);
    }
}

} // namespace

TEST_CASE("byte pairs are merged as the definition says") {
    std::mt19937 random(11);
    for (int round = 0; round < 300; ++round) {
        const Bpe bpe = random_bpe(random);
        for (int i = 0; i < 10; ++i) {
            std::string word;
            for (std::size_t size = random() % 40; size > 0; --size) word += static_cast<char>('a' + random() % 3);
            std::vector<std::uint32_t> fast;
            bpe.encode(word, fast);
            CAPTURE(word);
            CHECK(fast == slow(bpe, word));
        }
    }
}

TEST_CASE("a megabyte of one letter is one word, and no quadratic one") {
    Bpe bpe;
    for (std::uint32_t byte = 0; byte < 256; ++byte) bpe.byte_ids[byte] = byte;
    std::uint32_t symbol = 'a';
    for (std::uint32_t rank = 0; rank < 20; ++rank) { // aa, aaaa, ...
        bpe.merges.emplace(Bpe::pair(symbol, symbol), Bpe::Merge{rank, 256 + rank});
        symbol = 256 + rank;
    }
    std::vector<std::uint32_t> ids;
    bpe.encode(std::string(1 << 20, 'a'), ids);
    CHECK(ids == std::vector<std::uint32_t>{symbol});
}
