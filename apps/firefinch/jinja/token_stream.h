// The tokens of a template, taken one after the other.
#pragma once

#include "lexer.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace program::jinja {

std::string described(const Token &token); // for messages

class TokenStream {
  public:
    explicit TokenStream(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

    const Token &peek(std::size_t ahead = 0) const;
    const Token &take();
    bool take_sign(std::string_view sign);
    bool take_name(std::string_view name);
    // Throw TemplateError; `what` is what should stand here.
    const Token &expect(TokenKind kind, std::string_view what);
    void expect_sign(std::string_view sign);
    void expect_name(std::string_view name);
    [[noreturn]] void fail(std::string_view expected) const;

  private:
    std::vector<Token> tokens_; // the last is of kind end
    std::size_t at_ = 0;
};

} // namespace program::jinja
