// A template cut into text and the tokens of its tags, with Jinja's rules for white space around them.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace program::jinja {

enum class TokenKind { text, output_begin, output_end, block_begin, block_end, name, string, number, sign, end };

struct Token {
    TokenKind kind;
    std::string text; // of strings: with escapes resolved
    int line;
};

// {{ output }}, {% block %}, {# comment #}; "-" inside a tag's edge takes all white space beside it. As Hugging Face
// and llama.cpp render chat templates: white space before a block that begins its line goes, so does the first new line
// after a block or comment ("+" keeps either), and one new line at the end of the template.
// Ends with a token of kind `end`. Throws TemplateError.
std::vector<Token> tokens_of(std::string_view source);

} // namespace program::jinja
