#include "expression_parser.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace program::jinja {
namespace {

constexpr int kDeepest = 100; // of a tree, and of brackets while it is parsed

ExpressionPtr made(ExpressionKind kind, const Token &at, std::string name = {}) {
    auto out = std::make_unique<Expression>();
    out->kind = kind;
    out->line = at.line;
    out->name = std::move(name);
    return out;
}

void add_part(Expression &whole, ExpressionPtr part) {
    if (part != nullptr) whole.depth = std::max(whole.depth, part->depth + 1);
    if (whole.depth > kDeepest)
        throw TemplateError(whole.line, fmt::format("an expression is nested more than {} deep", kDeepest));
    whole.parts.push_back(std::move(part));
}

struct Level {
    std::initializer_list<std::string_view> signs;
};
const Level kLevels[] = {{{"+", "-"}}, {{"~"}}, {{"*", "/", "//", "%"}}}; // the loosest first

class ExpressionParser {
  public:
    explicit ExpressionParser(TokenStream &tokens) : tokens_(tokens) {}

    ExpressionPtr conditional() {
        ExpressionPtr value = disjunction();
        if (!tokens_.take_name("if")) return value;
        ExpressionPtr whole = made(ExpressionKind::conditional, tokens_.peek());
        add_part(*whole, disjunction());
        add_part(*whole, std::move(value));
        if (tokens_.take_name("else")) add_part(*whole, nested([this] { return conditional(); }));
        return whole;
    }

    ExpressionPtr disjunction() {
        ExpressionPtr left = conjunction();
        while (tokens_.peek().kind == TokenKind::name && tokens_.peek().text == "or")
            left = binary(std::move(left), [this] { return conjunction(); });
        return left;
    }

  private:
    template <class Parse>
    ExpressionPtr nested(Parse parse) {
        if (++brackets_ > kDeepest)
            throw TemplateError(tokens_.peek().line,
                                fmt::format("an expression is nested more than {} deep", kDeepest));
        ExpressionPtr out = parse();
        --brackets_;
        return out;
    }

    template <class Right>
    ExpressionPtr binary(ExpressionPtr left, Right right) {
        const Token &sign = tokens_.take();
        ExpressionPtr whole = made(ExpressionKind::binary, sign, sign.text);
        add_part(*whole, std::move(left));
        add_part(*whole, right());
        return whole;
    }

    ExpressionPtr conjunction() {
        ExpressionPtr left = negation();
        while (tokens_.peek().kind == TokenKind::name && tokens_.peek().text == "and")
            left = binary(std::move(left), [this] { return negation(); });
        return left;
    }

    ExpressionPtr negation() {
        const Token &at = tokens_.peek();
        if (!tokens_.take_name("not")) return comparison();
        ExpressionPtr whole = made(ExpressionKind::unary, at, "not");
        add_part(*whole, nested([this] { return negation(); }));
        return whole;
    }

    ExpressionPtr comparison() {
        constexpr std::string_view kSigns[] = {"==", "!=", "<", "<=", ">", ">="};
        ExpressionPtr left = level(0);
        for (;;) {
            const Token &token = tokens_.peek();
            const bool sign = token.kind == TokenKind::sign &&
                              std::find(std::begin(kSigns), std::end(kSigns), token.text) != std::end(kSigns);
            const bool in = token.kind == TokenKind::name && token.text == "in";
            const bool not_in = token.kind == TokenKind::name && token.text == "not" && tokens_.peek(1).text == "in";
            if (!sign && !in && !not_in) return left;
            if (not_in) tokens_.take();
            left = binary(std::move(left), [this] { return level(0); });
            if (not_in) {
                ExpressionPtr whole = made(ExpressionKind::unary, tokens_.peek(), "not");
                add_part(*whole, std::move(left));
                left = std::move(whole);
            }
        }
    }

    ExpressionPtr level(std::size_t index) {
        if (index == std::size(kLevels)) return sign();
        ExpressionPtr left = level(index + 1);
        const auto &signs = kLevels[index].signs;
        while (tokens_.peek().kind == TokenKind::sign &&
               std::find(signs.begin(), signs.end(), tokens_.peek().text) != signs.end())
            left = binary(std::move(left), [this, index] { return level(index + 1); });
        return left;
    }

    ExpressionPtr sign() {
        const Token &at = tokens_.peek();
        if (!tokens_.take_sign("-")) return filtered(postfix(primary()));
        ExpressionPtr whole = made(ExpressionKind::unary, at, "-");
        add_part(*whole, nested([this] { return sign(); }));
        return whole;
    }

    ExpressionPtr primary() {
        const Token &token = tokens_.take();
        if (token.kind == TokenKind::string) {
            ExpressionPtr out = made(ExpressionKind::literal, token);
            std::string text = token.text;
            while (tokens_.peek().kind == TokenKind::string) text += tokens_.take().text; // 'a' 'b' is 'ab'
            out->literal = Value(std::move(text));
            return out;
        }
        if (token.kind == TokenKind::number) return number(token);
        if (token.kind == TokenKind::name) return name(token);
        if (token.text == "(") {
            ExpressionPtr inner = nested([this] { return conditional(); });
            tokens_.expect_sign(")");
            return inner;
        }
        if (token.text == "[") {
            ExpressionPtr out = made(ExpressionKind::list, token);
            while (tokens_.peek().text != "]") {
                add_part(*out, nested([this] { return conditional(); }));
                if (!tokens_.take_sign(",")) break;
            }
            tokens_.expect_sign("]");
            return out;
        }
        throw TemplateError(token.line,
                            fmt::format("found {}, expected a value: a text, a whole number, a name, a list, or "
                                        "an expression in brackets",
                                        described(token)));
    }

    ExpressionPtr number(const Token &token) {
        ExpressionPtr out = made(ExpressionKind::literal, token);
        std::int64_t value = 0;
        const auto [end, error] = std::from_chars(token.text.data(), token.text.data() + token.text.size(), value);
        if (error != std::errc{})
            throw TemplateError(token.line, fmt::format("the number {} is too large", token.text));
        out->literal = Value(value);
        return out;
    }

    ExpressionPtr name(const Token &token) {
        const std::string &text = token.text;
        ExpressionPtr out = made(ExpressionKind::literal, token);
        if (text == "true" || text == "True" || text == "false" || text == "False") {
            out->literal = Value(text == "true" || text == "True");
        } else if (text == "none" || text == "None") {
            out->literal = Value(None{});
        } else {
            out->kind = ExpressionKind::name;
            out->name = text;
        }
        return out;
    }

    ExpressionPtr postfix(ExpressionPtr object) {
        for (;;) {
            const Token &at = tokens_.peek();
            if (tokens_.take_sign(".")) {
                ExpressionPtr whole =
                    made(ExpressionKind::attribute, at, tokens_.expect(TokenKind::name, "an attribute's name").text);
                add_part(*whole, std::move(object));
                object = std::move(whole);
            } else if (tokens_.take_sign("[")) {
                object = subscript(std::move(object), at);
            } else if (at.kind == TokenKind::sign && at.text == "(") {
                ExpressionPtr whole = made(ExpressionKind::call, at);
                add_part(*whole, std::move(object));
                arguments(*whole);
                object = std::move(whole);
            } else {
                return object;
            }
        }
    }

    ExpressionPtr subscript(ExpressionPtr object, const Token &at) {
        ExpressionPtr whole = made(ExpressionKind::index, at);
        add_part(*whole, std::move(object));
        const auto bound = [&] { return nested([this] { return conditional(); }); };
        ExpressionPtr from = tokens_.peek().text == ":" ? nullptr : bound();
        if (!tokens_.take_sign(":")) {
            add_part(*whole, std::move(from));
        } else {
            whole->kind = ExpressionKind::slice;
            add_part(*whole, std::move(from));
            add_part(*whole, tokens_.peek().text == "]" ? nullptr : bound());
        }
        tokens_.expect_sign("]"); // a slice's step is not supported
        return whole;
    }

    void arguments(Expression &whole) {
        tokens_.expect_sign("(");
        while (tokens_.peek().text != ")") {
            if (tokens_.peek().kind == TokenKind::name && tokens_.peek(1).text == "=") {
                std::string name = tokens_.take().text;
                tokens_.take();
                whole.named.emplace_back(std::move(name), nested([this] { return conditional(); }));
                whole.depth = std::max(whole.depth, whole.named.back().second->depth + 1);
            } else {
                add_part(whole, nested([this] { return conditional(); }));
            }
            if (!tokens_.take_sign(",")) break;
        }
        tokens_.expect_sign(")");
    }

    ExpressionPtr filtered(ExpressionPtr value) {
        for (;;) {
            const Token &at = tokens_.peek();
            ExpressionPtr whole;
            bool negated = false;
            if (tokens_.take_sign("|")) {
                whole = made(ExpressionKind::filter, at, tokens_.expect(TokenKind::name, "a filter's name").text);
            } else if (tokens_.take_name("is")) {
                negated = tokens_.take_name("not");
                whole = made(ExpressionKind::test, at, tokens_.expect(TokenKind::name, "a test's name").text);
            } else {
                return value;
            }
            add_part(*whole, std::move(value));
            if (tokens_.peek().text == "(" && tokens_.peek().kind == TokenKind::sign) arguments(*whole);
            value = postfix(std::move(whole)); // x|trim[0] is not Jinja's, (x|trim).y is
            if (!negated) continue;
            ExpressionPtr opposite = made(ExpressionKind::unary, at, "not");
            add_part(*opposite, std::move(value));
            value = std::move(opposite);
        }
    }

    TokenStream &tokens_;
    int brackets_ = 0;
};

} // namespace

ExpressionPtr parse_expression(TokenStream &tokens) {
    return ExpressionParser(tokens).conditional();
}

ExpressionPtr parse_operand(TokenStream &tokens) {
    return ExpressionParser(tokens).disjunction();
}

} // namespace program::jinja
