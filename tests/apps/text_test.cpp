// The program's text handling, looked at directly: streams cut at every place.
#include "failure.h"
#include "stop_text.h"
#include "token_ids.h"
#include "utf8.h"

#include <stdexcept>

#include <doctest/doctest.h>

using namespace program;

namespace {

// Fed byte by byte: the pieces that came out, and what finish() gave.
std::vector<std::string> pieces(const std::string &text) {
    Utf8Stream stream;
    std::vector<std::string> out;
    for (const char byte : text)
        if (std::string piece = stream.feed({&byte, 1}); !piece.empty()) out.push_back(piece);
    if (std::string rest = stream.finish(); !rest.empty()) out.push_back(rest);
    return out;
}

std::string through_stop(StopText &stop, const std::string &text, std::size_t piece) {
    std::string out;
    for (std::size_t at = 0; at < text.size(); at += piece) out += stop.feed(std::string_view(text).substr(at, piece));
    return out + stop.finish();
}

} // namespace

TEST_CASE("apps text: characters come out whole") {
    CHECK(pieces("a\u00e9\u20ac\U0001F426z") == std::vector<std::string>{"a", "\u00e9", "\u20ac", "\U0001F426", "z"});
}

TEST_CASE("apps text: bytes that are no character come out as they are, and at once") {
    CHECK(pieces("\x80") == std::vector<std::string>{"\x80"});
    CHECK(pieces("\xC0\x80") == std::vector<std::string>{"\xC0", "\x80"});                 // overlong
    CHECK(pieces("\xED\xA0\x80") == std::vector<std::string>{"\xED\xA0", "\x80"});         // surrogate
    CHECK(pieces("\xF5\x80") == std::vector<std::string>{"\xF5", "\x80"});                 // above U+10FFFF
    CHECK(pieces("\xE2\x82z") == std::vector<std::string>{"\xE2\x82z"});                   // cut short
    CHECK(pieces("\xF0\x9F\x90") == std::vector<std::string>{"\xF0\x9F\x90"});             // ends early
    CHECK(pieces("\xE2\xE2\x82\xAC") == std::vector<std::string>{"\xE2", "\xE2\x82\xAC"}); // begins twice
}

TEST_CASE("apps text: any bytes leave as they came") {
    std::string all;
    unsigned state = 12345;
    for (int i = 0; i < 20000; ++i) all += static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
    std::string joined;
    for (const std::string &piece : pieces(all)) joined += piece;
    CHECK(joined == all);
}

TEST_CASE("apps text: a stop text is found wherever the stream is cut") {
    for (std::size_t piece = 1; piece < 12; ++piece) {
        CAPTURE(piece);
        StopText stop({"END", "aab"});
        CHECK(through_stop(stop, "one EN END two", piece) == "one EN ");
        CHECK(stop.matched());
        StopText repeated({"aab"});
        CHECK(through_stop(repeated, "aaaab", piece) == "aa");
        StopText first({"two", "one"});
        CHECK(through_stop(first, "x one two", piece) == "x ");
        StopText never({"END"});
        CHECK(through_stop(never, "one EN", piece) == "one EN");
        CHECK(!never.matched());
    }
}

TEST_CASE("apps text: a stop text is not held back longer than it could still come") {
    StopText stop({"\n\n"});
    CHECK(stop.feed("a\n") == "a");
    CHECK(stop.feed("b") == "\nb");
}

TEST_CASE("apps text: token ids") {
    CHECK(parse_token_ids("") == std::vector<std::uint32_t>{});
    CHECK(parse_token_ids(" 1\t2\r\n4294967295 ") == std::vector<std::uint32_t>{1, 2, 4294967295U});
    for (const std::string bad : {"1 x", "-1", "1.5", "4294967296", "0x10", "1,2", "+1"}) {
        CAPTURE(bad);
        CHECK_THROWS_AS(parse_token_ids(bad), std::invalid_argument);
    }
    CHECK_THROWS_AS(check_token_ids({255, 256}, 256, "here"), Failure);
    CHECK(join_token_ids({1, 20, 3}) == "1 20 3");
}
