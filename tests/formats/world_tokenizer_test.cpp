#include "loader/tokenizer/tokenizer.h"
#include "tests/formats/support.h"

#include <fmt/format.h>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

// The 256 bytes as ids 1 to 256, then `more`.
std::string vocabulary(std::string_view more = "") {
    std::string lines;
    for (int byte = 0; byte < 256; ++byte) lines += fmt::format("{} b'\\x{:02x}' 1\n", byte + 1, byte);
    return lines + std::string(more);
}

std::unique_ptr<Tokenizer> tokenizer_of(std::string_view text) {
    auto tokenizer = make_world_tokenizer("v", text);
    REQUIRE_MESSAGE(tokenizer.ok(), (tokenizer.ok() ? "" : tokenizer.error().message));
    return std::move(tokenizer).value();
}

void check_refused(std::string_view text, std::initializer_list<std::string_view> parts) {
    CAPTURE(parts.begin()[0]);
    check_error(error_of(make_world_tokenizer("v", text)), "v", Status::model_file, parts);
}

} // namespace

TEST_CASE("world: the longest entry wins") {
    const auto tokenizer = tokenizer_of(vocabulary("300 'ab' 2\n301 'abcd' 4\n302 '\\u4e2d' 3\n65535 ' a ' 3\n"));
    CHECK(tokenizer->name() == "world");
    CHECK(tokenizer->vocabulary() == 65536);
    using Ids = std::vector<std::uint32_t>;
    CHECK(*tokenizer->encode("") == Ids{});
    CHECK(*tokenizer->encode("abcab") == Ids{300, 'c' + 1, 300});
    CHECK(*tokenizer->encode("abcdab") == Ids{301, 300});
    CHECK(*tokenizer->encode("\xe4\xb8\xad\xe4\xb8") == Ids{302, 0xe4 + 1, 0xb8 + 1});
    CHECK(*tokenizer->encode(" a \n") == Ids{65535, '\n' + 1});
    CHECK(*tokenizer->decode(302) == "\xe4\xb8\xad");
    CHECK(*tokenizer->decode(1) == std::string(1, '\0'));
    CHECK(tokenizer->decode(0)->empty());     // end of text
    CHECK(tokenizer->decode(65534)->empty()); // exists in the model only
    CHECK(error_of(tokenizer->decode(65536)).status == Status::argument);
}

TEST_CASE("world: a file with Windows line ends, or without the last one") {
    std::string text = vocabulary("300 'ab' 2");
    CHECK(tokenizer_of(text)->encode("ab")->size() == 1);
    for (std::size_t at = 0; (at = text.find('\n', at)) != std::string::npos; at += 2) text.insert(at, "\r");
    CHECK(tokenizer_of(text)->encode("ab")->size() == 1);
}

TEST_CASE("world: vocabularies that are wrong name the line") {
    check_refused("", {"0x00"});
    check_refused(vocabulary().substr(0, 3000), {"line "});
    check_refused(vocabulary("300\n"), {"line 257", "id literal length"});
    check_refused(vocabulary("300 'ab'\n"), {"line 257", "id literal length"});
    check_refused(vocabulary("\n"), {"line 257", "id literal length"});
    check_refused(vocabulary("x 'ab' 2\n"), {"line 257", "id x"});
    check_refused(vocabulary("0 'ab' 2\n"), {"line 257", "id 0"});
    check_refused(vocabulary("-1 'ab' 2\n"), {"line 257", "id -1"});
    check_refused(vocabulary("65536 'ab' 2\n"), {"line 257", "65536", "65535"});
    check_refused(vocabulary("99999999999 'ab' 2\n"), {"line 257", "id 99999999999"});
    check_refused(vocabulary("300 'ab' 3\n"), {"line 257", "length of 3", "2 bytes"});
    check_refused(vocabulary("300 'ab' -2\n"), {"line 257", "length of -2"});
    check_refused(vocabulary("300 ab 2\n"), {"line 257", "ab", "literal"});
    check_refused(vocabulary("300 __import__('os').system('true') 2\n"), {"line 257", "literal"});
    check_refused(vocabulary("300 '' 0\n"), {"line 257", "0 bytes"});
    check_refused(vocabulary(fmt::format("300 '{}' 1025\n", std::string(1025, 'a'))), {"line 257", "1025 bytes"});
    check_refused(vocabulary("256 'ab' 2\n"), {"line 257", "id 256 again"});
    check_refused(vocabulary("300 'a' 1\n"), {"line 257", "earlier line"});
    check_refused(vocabulary().substr(12), {"single byte 0x00"}); // without its first line
    check_refused(std::string(17 << 20, ' '), {"at most"});
    check_refused(std::string(1000, '\0'), {"line 1"});
    const TemporaryPath nowhere;
    check_error(error_of(make_world_tokenizer(nowhere.path())), nowhere.path(), Status::io, {"No such file"});
}
