#include "token_stream.h"

#include "value.h"

#include <algorithm>

#include <fmt/format.h>

namespace program::jinja {

const Token &TokenStream::peek(std::size_t ahead) const {
    return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

const Token &TokenStream::take() {
    const Token &token = peek();
    if (at_ + 1 < tokens_.size()) ++at_;
    return token;
}

bool TokenStream::take_sign(std::string_view sign) {
    const bool found = peek().kind == TokenKind::sign && peek().text == sign;
    if (found) take();
    return found;
}

bool TokenStream::take_name(std::string_view name) {
    const bool found = peek().kind == TokenKind::name && peek().text == name;
    if (found) take();
    return found;
}

const Token &TokenStream::expect(TokenKind kind, std::string_view what) {
    if (peek().kind != kind) fail(what);
    return take();
}

void TokenStream::expect_sign(std::string_view sign) {
    if (!take_sign(sign)) fail(sign);
}

void TokenStream::expect_name(std::string_view name) {
    if (!take_name(name)) fail(name);
}

std::string described(const Token &token) {
    if (token.kind == TokenKind::end) return "the end of the template";
    return token.text.empty() ? std::string("the end of the tag") : "'" + token.text + "'";
}

void TokenStream::fail(std::string_view expected) const {
    throw TemplateError(peek().line, fmt::format("found {}, expected {}", described(peek()), expected));
}

} // namespace program::jinja
