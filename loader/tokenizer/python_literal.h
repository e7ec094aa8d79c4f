// Python's literals for text and bytes, in which the world vocabulary is written.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace ff::loader {

// The bytes that a literal means: '...' or "..." is text, whose UTF-8 bytes count; b'...' or b"..." is bytes.
// Nothing if `literal` is not exactly one such literal. Escapes: \n \r \t \a \b \f \v \\ \' \" \xNN \ooo, and in text
// \uNNNN and \UNNNNNNNN (https://docs.python.org/3/reference/lexical_analysis.html, section 2.4.1).
std::optional<std::string> parse_python_literal(std::string_view literal);

} // namespace ff::loader
