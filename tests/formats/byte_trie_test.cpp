#include "loader/tokenizer/byte_trie.h"

#include <doctest/doctest.h>
#include <map>
#include <random>

using ff::loader::ByteTrie;

TEST_CASE("the longest entry that a text begins with") {
    const ByteTrie trie({{"a", 1}, {"abc", 2}, {"abcdef", 3}, {std::string("\0", 1), 4}, {"\xff\xfe", 5}});
    const auto check = [&](std::string_view text, std::uint32_t value, std::size_t length) {
        const auto match = trie.longest_prefix(text);
        REQUIRE(match.has_value());
        CHECK(match->value == value);
        CHECK(match->length == length);
    };
    check("a", 1, 1);
    check("ab", 1, 1);
    check("abcde", 2, 3);
    check("abcdefg", 3, 6);
    check(std::string_view("\0x", 2), 4, 1);
    check("\xff\xfe", 5, 2);
    for (const std::string_view none : {"", "b", "\xff", "\xff\xff"})
        CHECK_FALSE(trie.longest_prefix(none).has_value());
    CHECK_FALSE(ByteTrie({}).longest_prefix("a").has_value());
}

TEST_CASE("the trie agrees with trying every length") {
    std::mt19937 random(7);
    const auto text = [&](std::size_t size) {
        std::string out;
        for (std::size_t i = 0; i < size; ++i) out += static_cast<char>('a' + random() % 3);
        return out;
    };
    std::map<std::string, std::uint32_t> entries;
    for (std::uint32_t i = 0; i < 300; ++i) entries.emplace(text(1 + random() % 7), i);
    const ByteTrie trie({entries.begin(), entries.end()});
    for (int i = 0; i < 2000; ++i) {
        const std::string probe = text(random() % 10);
        std::size_t length = probe.size();
        while (length > 0 && !entries.contains(probe.substr(0, length))) --length;
        const auto match = trie.longest_prefix(probe);
        CHECK(match.has_value() == (length > 0));
        if (match) {
            CHECK(match->length == length);
            CHECK(match->value == entries.at(probe.substr(0, length)));
        }
    }
}
