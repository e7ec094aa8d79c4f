// Names that come from a file, before they enter a message or another file.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ff::loader {

// As it may stand inside a one-line message: control characters and bytes that are not UTF-8 become \xNN, and what is
// longer than 120 bytes is cut and marked with "...".
std::string printable(std::string_view text);

// Strict UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

// Length in bytes of the UTF-8 character that `text` starts with, 0 if it does not start with one.
std::size_t utf8_length(std::string_view text);

// "[768, 2304]"; "[]" for a scalar.
std::string shape_text(std::span<const std::uint64_t> shape);

} // namespace ff::loader
