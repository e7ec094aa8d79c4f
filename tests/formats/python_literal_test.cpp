#include "loader/tokenizer/python_literal.h"

#include <doctest/doctest.h>

using ff::loader::parse_python_literal;
using namespace std::string_literals;

TEST_CASE("literals that Python would read") {
    const auto check = [](std::string_view literal, const std::string &bytes) {
        CAPTURE(literal);
        CHECK(parse_python_literal(literal) == std::optional(bytes));
    };
    check("''", "");
    check("'a'", "a");
    check("\"it's\"", "it's");
    check("'\"'", "\"");
    check("'\\''", "'");
    check("'\\n\\r\\t\\a\\b\\f\\v\\\\\\\"'", "\n\r\t\a\b\f\v\\\"");
    check("' a b '", " a b ");
    check("'\\x00'", "\0"s);
    check("'\\xe9'", "\xc3\xa9"); // text: a code point
    check("b'\\xe9'", "\xe9");    // bytes: a byte
    check("'\\u4e2d\\U0001f642'", "\xe4\xb8\xad\xf0\x9f\x99\x82");
    check("'\\0\\1234'", "\0S4"s);
    check("'\xe4\xb8\xad'", "\xe4\xb8\xad");
    check("b\"a\\xff'\"", "a\xff'");
}

TEST_CASE("literals that are none") {
    for (const std::string_view literal :
         {"",       "'",          "a",           "'a",       "a'",        "'a\"",
          "b",      "b'",         "'a'b'",       "'a' ",     "u'a'",      "'\\'",
          "'\\x1'", "'\\xg0'",    "'\\x+1'",     "'\\u12'",  "'\\ud800'", "'\\U00110000'",
          "'\\q'",  "b'\\u0041'", "b'\xc3\xa9'", "b'\\777'", "'\xff'",    "'a\nb'",
          "'''a'''"}) {
        CAPTURE(literal);
        CHECK_FALSE(parse_python_literal(literal).has_value());
    }
}
