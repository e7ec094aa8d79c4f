#include "loader/text.h"
#include "tests/formats/support.h"

using namespace ff::loader;

TEST_CASE("a name from a file cannot break a message's line") {
    CHECK(printable("blocks.3.att.key.weight") == "blocks.3.att.key.weight");
    CHECK(printable("a\nb\x1b[31m") == "a\\x0ab\\x1b[31m");
    CHECK(printable("caf\xc3\xa9 \xff\xc3") == "caf\xc3\xa9 \\xff\\xc3");
    CHECK(printable(std::string(1000, 'a')) == std::string(120, 'a') + "...");
    CHECK(printable(std::string_view("\0", 1)) == "\\x00");
}

TEST_CASE("UTF-8 is what Unicode says it is") {
    for (const std::string_view good :
         {"", "a", "\xc3\xa9", "\xe4\xb8\xad", "\xf0\x9f\x99\x82", "\xf4\x8f\xbf\xbf", "\xed\x9f\xbf"})
        CHECK(is_utf8(good));
    for (const std::string_view bad :
         {"\x80", "\xc3", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80", "\xf0\x80\x80\x80",
          "\xf4\x90\x80\x80", "\xf8\x88\x80\x80\x80", "\xff", "a\xe4\xb8"}) {
        CAPTURE(printable(bad));
        CHECK_FALSE(is_utf8(bad));
    }
}

TEST_CASE("shapes read as in Python") {
    CHECK(shape_text({}) == "[]");
    CHECK(shape_text(std::vector<std::uint64_t>{768, 2304}) == "[768, 2304]");
    CHECK(shape_text(std::vector<std::uint64_t>(10, 1)) == "[1, 1, 1, 1, 1, 1, 1, 1, ... 10 axes]");
}
