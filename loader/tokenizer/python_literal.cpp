#include "loader/tokenizer/python_literal.h"

#include "loader/text.h"

#include <charconv>
#include <cstdint>

namespace ff::loader {

namespace {

// Appends a code point as UTF-8; false for surrogates and what lies above Unicode.
bool append_utf8(std::string &out, std::uint32_t code) {
    const auto byte = [&](std::uint32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
    if (code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return false;
    if (code < 0x80) {
        byte(code);
    } else if (code < 0x800) {
        byte(0xC0 | code >> 6);
        byte(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        byte(0xE0 | code >> 12);
        byte(0x80 | (code >> 6 & 0x3F));
        byte(0x80 | (code & 0x3F));
    } else {
        byte(0xF0 | code >> 18);
        byte(0x80 | (code >> 12 & 0x3F));
        byte(0x80 | (code >> 6 & 0x3F));
        byte(0x80 | (code & 0x3F));
    }
    return true;
}

// Takes a number of exactly `digits` hexadecimal digits from the front of `text`.
std::optional<std::uint32_t> take_hexadecimal(std::string_view &text, std::size_t digits) {
    if (text.size() < digits) return std::nullopt;
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + digits, value, 16);
    if (error != std::errc() || end != text.data() + digits) return std::nullopt;
    text.remove_prefix(digits);
    return value;
}

// The escape behind a backslash, of which `text` begins with the letter.
bool append_escape(std::string &out, std::string_view &text, bool is_text) {
    if (text.empty()) return false;
    const char letter = text.front();
    const auto append_code = [&](std::optional<std::uint32_t> code) {
        if (!code) return false;
        if (is_text) return append_utf8(out, *code);
        if (*code > 255) return false;
        out += static_cast<char>(static_cast<unsigned char>(*code));
        return true;
    };
    if (letter >= '0' && letter <= '7') { // up to three octal digits
        std::uint32_t code = 0;
        for (int i = 0; i < 3 && !text.empty() && text.front() >= '0' && text.front() <= '7'; ++i) {
            code = code * 8 + static_cast<std::uint32_t>(text.front() - '0');
            text.remove_prefix(1);
        }
        return append_code(code);
    }
    text.remove_prefix(1);
    switch (letter) {
    case 'n':
        out += '\n';
        return true;
    case 'r':
        out += '\r';
        return true;
    case 't':
        out += '\t';
        return true;
    case 'a':
        out += '\a';
        return true;
    case 'b':
        out += '\b';
        return true;
    case 'f':
        out += '\f';
        return true;
    case 'v':
        out += '\v';
        return true;
    case '\\':
    case '\'':
    case '"':
        out += letter;
        return true;
    case 'x':
        return append_code(take_hexadecimal(text, 2));
    case 'u':
        return is_text && append_code(take_hexadecimal(text, 4));
    case 'U':
        return is_text && append_code(take_hexadecimal(text, 8));
    default:
        return false; // Python would keep the backslash; no vocabulary relies on that
    }
}

} // namespace

std::optional<std::string> parse_python_literal(std::string_view literal) {
    const bool is_text = !literal.starts_with('b');
    if (!is_text) literal.remove_prefix(1);
    if (literal.size() < 2) return std::nullopt;
    const char quote = literal.front();
    if ((quote != '\'' && quote != '"') || literal.back() != quote) return std::nullopt;
    literal.remove_prefix(1);
    literal.remove_suffix(1);
    std::string out;
    while (!literal.empty()) {
        const char c = literal.front();
        if (c == quote || c == '\n') return std::nullopt; // the literal ended before its line did
        if (!is_text && static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
        literal.remove_prefix(1);
        if (c != '\\')
            out += c;
        else if (!append_escape(out, literal, is_text))
            return std::nullopt;
    }
    if (is_text && !is_utf8(out)) return std::nullopt;
    return out;
}

} // namespace ff::loader
