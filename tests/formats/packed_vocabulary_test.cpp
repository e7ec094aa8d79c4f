// The vocabularies that the library carries: what they are known to hold, and what becomes of damaged ones.
#include "loader/tokenizer/packed_vocabulary.h"
#include "loader/tokenizer/tokenizer.h"
#include "tests/formats/support.h"

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

using Ids = std::vector<std::uint32_t>;

std::unique_ptr<Tokenizer> must(Result<std::unique_ptr<Tokenizer>> tokenizer) {
    REQUIRE_MESSAGE(tokenizer.ok(), (tokenizer.ok() ? "" : tokenizer.error().message));
    return std::move(tokenizer).value();
}

Ids encoded(const Tokenizer &tokenizer, std::string_view text) {
    const auto ids = tokenizer.encode(text);
    REQUIRE(ids.ok());
    std::string back;
    for (const std::uint32_t id : *ids) back += *tokenizer.decode(id);
    CHECK(back == text);
    return *ids;
}

std::string some_bytes(std::size_t count) {
    std::string text;
    std::uint32_t state = 7;
    for (std::size_t i = 0; i < count; ++i) {
        state = state * 1664525 + 1013904223;
        text += static_cast<char>(state >> 24);
    }
    return text;
}

Bytes small_world() { // the 256 bytes, then "ab", "ac", "abc"
    Bytes packed = bytes_of("ffvw");
    append_le(packed, std::uint32_t{259});
    const auto group = [&](int length, int count) {
        append_le(packed, static_cast<std::uint8_t>(length));
        append_le(packed, static_cast<std::uint16_t>(count));
    };
    group(1, 256);
    for (int byte = 0; byte < 256; ++byte) append_le(packed, static_cast<std::uint16_t>(byte << 8));
    group(2, 2);
    append(packed, bytes_of(std::string_view("\0ab\1c", 5)));
    group(3, 1);
    append(packed, bytes_of(std::string_view("\0abc", 4)));
    return packed;
}

Bytes small_20b() { // a and b, ab, abab; one added token of each kind
    Bytes packed = bytes_of(std::string_view("ffvb\2\0\2\0ab\2\0\0\0", 14));
    append(packed, words({2, 3, 4, 4}));
    append(packed, bytes_of(std::string_view("\2\0\0\0\0\3<|>\6\0\1\2  ", 15)));
    return packed;
}

} // namespace

TEST_CASE("the library's world vocabulary") {
    const auto tokenizer = must(make_world_tokenizer());
    CHECK(tokenizer->name() == "world");
    CHECK(tokenizer->vocabulary() == 65536);
    CHECK(tokenizer->special(TokenRole::end_of_text) == 0);
    CHECK_FALSE(tokenizer->special(TokenRole::end_of_turn));
    for (std::uint32_t byte = 0; byte < 256; ++byte)
        CHECK(*tokenizer->decode(byte + 1) == std::string(1, static_cast<char>(byte)));
    CHECK(tokenizer->decode(0)->empty());
    CHECK(*tokenizer->decode(261) == "\n\n");
    CHECK_FALSE(tokenizer->decode(65529)->empty());
    CHECK(tokenizer->decode(65530)->empty());
    CHECK(error_of(tokenizer->decode(65536)).status == Status::argument);
    CHECK(encoded(*tokenizer, "\n\n") == Ids{261});
    CHECK(encoded(*tokenizer, "Hello world! \xe4\xbd\xa0\xe5\xa5\xbd\n").size() < 8);
    (void)encoded(*tokenizer, some_bytes(4096));
}

TEST_CASE("the library's 20B vocabulary") {
    const auto tokenizer = must(make_20b_tokenizer());
    CHECK(tokenizer->name() == "20b");
    CHECK(tokenizer->vocabulary() == 50277);
    CHECK(tokenizer->special(TokenRole::end_of_text) == 0);
    CHECK_FALSE(tokenizer->special(TokenRole::end_of_turn));
    CHECK(*tokenizer->decode(0) == "<|endoftext|>");
    CHECK(*tokenizer->decode(50276) == "  ");
    CHECK(tokenizer->decode(50303)->empty());
    CHECK(encoded(*tokenizer, "Hello world") == Ids{12092, 1533});
    CHECK(encoded(*tokenizer, "a<|endoftext|>") == Ids{66, 0});
}

TEST_CASE("packed: what the format says") {
    const Bytes world = small_world(), twenty = small_20b();
    const auto texts = unpack_world("v", world);
    REQUIRE_MESSAGE(texts.ok(), (texts.ok() ? "" : texts.error().message));
    CHECK(texts->size() == 260);
    CHECK((*texts)[0].empty());
    CHECK((*texts)[257] == "ab");
    CHECK((*texts)[258] == "ac");
    CHECK((*texts)[259] == "abc");
    const auto vocabulary = unpack_20b("v", twenty);
    REQUIRE_MESSAGE(vocabulary.ok(), (vocabulary.ok() ? "" : vocabulary.error().message));
    CHECK(vocabulary->texts == std::vector<std::string>{"<|>", "", "a", "b", "ab", "abab", "  "});
    CHECK(vocabulary->raw_tokens == NeoxVocabulary::AddedTokens{{"<|>", 0}});
    CHECK(vocabulary->normalized_tokens == NeoxVocabulary::AddedTokens{{"  ", 6}});
    CHECK(vocabulary->bpe.merges.at(Bpe::pair(4, 4)).rank == 1);
}

TEST_CASE("packed: any damage is a sentence or another vocabulary") {
    const Bytes world = small_world(), twenty = small_20b();
    for (const Bytes *whole : {&world, &twenty}) {
        const auto check = [&](std::span<const std::byte> packed, bool must_fail) {
            const auto a = unpack_world("v", packed);
            const auto b = unpack_20b("v", packed);
            if (!a.ok()) check_sentence(a.error(), "v");
            if (!b.ok()) check_sentence(b.error(), "v");
            if (must_fail) CHECK_FALSE((a.ok() || b.ok()));
        };
        for (std::size_t size = 0; size < whole->size(); ++size) check(std::span(*whole).first(size), true);
        Bytes longer = *whole;
        longer.push_back(std::byte{0});
        check(longer, true);
        for (std::size_t at = 0; at < whole->size(); ++at)
            for (const int change : {1, 0x80, 0xff}) {
                Bytes other = *whole;
                other[at] ^= static_cast<std::byte>(change);
                check(other, at < 4);
            }
    }
}
