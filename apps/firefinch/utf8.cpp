#include "utf8.h"

#include <algorithm>
#include <utility>

namespace program {
namespace {

// How many bytes a character that begins with `lead` has; 0 if none does.
std::size_t length_of(unsigned char lead) {
    if (lead >= 0xC2 && lead <= 0xDF) return 2;
    if (lead >= 0xE0 && lead <= 0xEF) return 3;
    if (lead >= 0xF0 && lead <= 0xF4) return 4;
    return lead < 0x80 ? 1 : 0;
}

// Table 3-7 of the Unicode standard: the second byte rules out overlong forms, surrogates and what is above U+10FFFF.
bool second_fits(unsigned char lead, unsigned char second) {
    switch (lead) {
    case 0xE0:
        return second >= 0xA0 && second <= 0xBF;
    case 0xED:
        return second >= 0x80 && second <= 0x9F;
    case 0xF0:
        return second >= 0x90 && second <= 0xBF;
    case 0xF4:
        return second >= 0x80 && second <= 0x8F;
    default:
        return second >= 0x80 && second <= 0xBF;
    }
}

// How many bytes at the end of `text` begin a character that is not complete.
std::size_t incomplete_tail(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    for (std::size_t tail = 1; tail <= std::min<std::size_t>(3, text.size()); ++tail) {
        const std::size_t lead = text.size() - tail;
        if (byte(lead) >= 0x80 && byte(lead) <= 0xBF) continue;
        const bool begins = length_of(byte(lead)) > tail && (tail < 2 || second_fits(byte(lead), byte(lead + 1)));
        return begins ? tail : 0;
    }
    return 0;
}

// The bytes of the character that `text` begins with; 0 if there is none.
std::size_t character_length(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::size_t length = length_of(byte(0));
    if (length > text.size() || (length > 1 && !second_fits(byte(0), byte(1)))) return 0;
    for (std::size_t i = 2; i < length; ++i)
        if (byte(i) < 0x80 || byte(i) > 0xBF) return 0;
    return length;
}

char32_t code_point(std::string_view character) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(character[i]); };
    if (character.size() == 1) return byte(0);
    char32_t code = byte(0) & (0xFFU >> (character.size() + 1));
    for (std::size_t i = 1; i < character.size(); ++i) code = code << 6U | (byte(i) & 0x3FU);
    return code;
}

bool is_control(char32_t code) { // C0, DEL, C1, line and paragraph separators
    return code < 0x20 || (code >= 0x7F && code < 0xA0) || code == 0x2028 || code == 0x2029;
}

// Unicode's bidirectional marks, embeddings and isolates, zero-width characters, and the tags of plane 14.
bool is_invisible(char32_t code) {
    return code == 0x61C || (code >= 0x200B && code <= 0x200F) || (code >= 0x202A && code <= 0x202E) ||
           (code >= 0x2060 && code <= 0x206F) || code == 0xFEFF || (code >= 0xE0000 && code <= 0xE0FFF);
}

} // namespace

std::string one_line(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t length = character_length(text);
        const std::string_view character = text.substr(0, std::max<std::size_t>(length, 1));
        text.remove_prefix(character.size());
        if (length == 0) {
            out += "\uFFFD";
            continue;
        }
        const char32_t code = code_point(character);
        if (is_control(code))
            out += ' ';
        else if (!is_invisible(code))
            out += character;
    }
    return out;
}

std::string_view whole_characters(std::string_view text, std::size_t limit) {
    if (limit >= text.size()) return text;
    const std::string_view head = text.substr(0, limit);
    return head.substr(0, limit - incomplete_tail(head));
}

std::string Utf8Stream::feed(std::string_view bytes) {
    std::string out = std::exchange(held_, {});
    out += bytes;
    const std::size_t tail = incomplete_tail(out);
    held_ = out.substr(out.size() - tail);
    out.resize(out.size() - tail);
    return out;
}

std::string Utf8Stream::finish() {
    return std::exchange(held_, {});
}

} // namespace program
