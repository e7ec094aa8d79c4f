#include "loader/text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace ff::loader {

std::size_t utf8_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto follows = [&](std::size_t i) { return i < text.size() && (byte(i) & 0xC0) == 0x80; };
    if (text.empty()) return 0;
    const unsigned first = byte(0);
    if (first < 0x80) return 1;
    if (first < 0xC2) return 0; // a continuation byte, or an overlong form of ASCII
    if (first < 0xE0) return follows(1) ? 2 : 0;
    if (first < 0xF0) {
        if (!follows(1) || !follows(2)) return 0;
        if (first == 0xE0 && byte(1) < 0xA0) return 0; // overlong
        if (first == 0xED && byte(1) > 0x9F) return 0; // surrogate
        return 3;
    }
    if (first > 0xF4 || !follows(1) || !follows(2) || !follows(3)) return 0;
    if (first == 0xF0 && byte(1) < 0x90) return 0; // overlong
    if (first == 0xF4 && byte(1) > 0x8F) return 0; // above U+10FFFF
    return 4;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t length = utf8_length(text);
        if (length == 0) return false;
        text.remove_prefix(length);
    }
    return true;
}

std::string printable(std::string_view text) {
    constexpr std::size_t kLongest = 120;
    std::string out;
    while (!text.empty()) {
        if (out.size() >= kLongest) return out + "...";
        const std::size_t length = utf8_length(text);
        const auto first = static_cast<unsigned char>(text.front());
        if (length == 0 || first < 0x20 || first == 0x7F)
            out += fmt::format("\\x{:02x}", first);
        else
            out += text.substr(0, length);
        text.remove_prefix(length == 0 ? 1 : length);
    }
    return out;
}

std::string shape_text(std::span<const std::uint64_t> shape) {
    if (shape.size() > 8) return fmt::format("[{}, ... {} axes]", fmt::join(shape.first(8), ", "), shape.size());
    return fmt::format("[{}]", fmt::join(shape, ", "));
}

} // namespace ff::loader
