#include "lexer.h"

#include "value.h"

#include <algorithm>
#include <cstddef>

#include <fmt/format.h>

namespace program::jinja {
namespace {

constexpr std::string_view kSpace = " \t\r\n";
constexpr std::string_view kTwoCharacterSigns[] = {"==", "!=", "<=", ">=", "//", "**"};
constexpr std::string_view kSigns = "+-*/%~<>=()[]{}.,:|";

bool begins_name(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

class Lexer {
  public:
    explicit Lexer(std::string_view source) : source_(source) {
        if (source_.ends_with('\n')) source_.remove_suffix(source_.ends_with("\r\n") ? 2 : 1);
    }

    std::vector<Token> run() {
        while (at_ < source_.size()) text_and_tag();
        tokens_.push_back({TokenKind::end, "", line_});
        return std::move(tokens_);
    }

  private:
    std::string_view rest() const { return source_.substr(at_); }
    void advance(std::size_t count) {
        line_ += static_cast<int>(std::count(source_.begin() + static_cast<std::ptrdiff_t>(at_),
                                             source_.begin() + static_cast<std::ptrdiff_t>(at_ + count), '\n'));
        at_ += count;
    }
    [[noreturn]] void fail(const std::string &what) const { throw TemplateError(line_, what); }

    void text_and_tag() {
        const auto opens_tag = [this](std::size_t at) {
            return at + 1 < source_.size() && std::string_view("{%#").find(source_[at + 1]) != std::string_view::npos;
        };
        std::size_t begin = source_.find('{', at_);
        while (begin != std::string_view::npos && !opens_tag(begin)) begin = source_.find('{', begin + 1);
        if (begin == std::string_view::npos) {
            add_text(rest(), false, false);
            return advance(source_.size() - at_);
        }
        const char kind = source_[begin + 1];
        const char edge = begin + 2 < source_.size() ? source_[begin + 2] : ' ';
        const bool strip_all = edge == '-', keep = edge == '+';
        add_text(source_.substr(at_, begin - at_), strip_all, kind != '{' && !keep);
        advance(begin - at_ + 2 + (strip_all || keep ? 1 : 0));
        if (kind == '#')
            comment();
        else
            tag(kind == '{' ? TokenKind::output_begin : TokenKind::block_begin,
                kind == '{' ? TokenKind::output_end : TokenKind::block_end, kind == '{' ? "}}" : "%}");
    }

    // `strip_line`: what is blank before a block goes, if the block is the first of its line.
    void add_text(std::string_view text, bool strip_all, bool strip_line) {
        if (strip_all) {
            text = text.substr(0, text.find_last_not_of(kSpace) + 1);
        } else if (strip_line) {
            const std::size_t last = text.find_last_not_of(" \t");
            const bool begins_line = last == std::string_view::npos ? at_line_begin_ : text[last] == '\n';
            if (begins_line) text = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
        }
        if (!text.empty()) tokens_.push_back({TokenKind::text, std::string(text), line_});
    }

    // Behind a tag that ended with `edge` before its closing sign.
    void after_tag(char edge, bool block) {
        at_line_begin_ = false;
        if (edge == '-') {
            advance(std::min(rest().find_first_not_of(kSpace), rest().size()));
        } else if (block && edge != '+') {
            const std::size_t line_end = rest().starts_with("\r\n") ? 2 : rest().starts_with("\n") ? 1 : 0;
            advance(line_end);
            at_line_begin_ = line_end > 0;
        }
    }

    void comment() {
        const std::size_t end = rest().find("#}");
        if (end == std::string_view::npos) fail("a comment {# is not closed");
        const char edge = end > 0 ? rest()[end - 1] : ' ';
        advance(end + 2);
        after_tag(edge, true);
    }

    void tag(TokenKind begin, TokenKind end, std::string_view close) {
        tokens_.push_back({begin, "", line_});
        int braces = 0; // {{ {'a': {}} }}: a map's braces end no tag
        for (;;) {
            advance(std::min(rest().find_first_not_of(kSpace), rest().size()));
            if (rest().empty()) fail(fmt::format("a tag is not closed by {}", close));
            const char edge = rest()[0];
            const bool edged = (edge == '-' || edge == '+') && rest().substr(1).starts_with(close);
            if (braces == 0 && (edged || rest().starts_with(close))) {
                advance(close.size() + (edged ? 1 : 0));
                tokens_.push_back({end, "", line_});
                return after_tag(edged ? edge : ' ', end == TokenKind::block_end);
            }
            braces += edge == '{' ? 1 : edge == '}' ? -1 : 0;
            token();
        }
    }

    void token() {
        const char first = rest()[0];
        if (first == '\'' || first == '"') return string(first);
        std::size_t size = 1;
        TokenKind kind = TokenKind::sign;
        if (begins_name(first) || is_digit(first)) {
            kind = begins_name(first) ? TokenKind::name : TokenKind::number;
            while (size < rest().size() &&
                   (is_digit(rest()[size]) || (kind == TokenKind::name && begins_name(rest()[size]))))
                ++size;
        } else if (kSigns.find(first) == std::string_view::npos && !rest().starts_with("!=")) {
            fail(fmt::format("'{}' cannot stand in a tag", static_cast<unsigned char>(first) < 0x20 ? '?' : first));
        } else {
            for (const std::string_view two : kTwoCharacterSigns)
                if (rest().starts_with(two)) size = 2;
        }
        tokens_.push_back({kind, std::string(rest().substr(0, size)), line_});
        advance(size);
    }

    void string(char quote) {
        Token made{TokenKind::string, "", line_};
        std::size_t i = 1;
        for (; i < rest().size() && rest()[i] != quote; ++i) {
            if (rest()[i] != '\\') {
                made.text += rest()[i];
                continue;
            }
            if (++i >= rest().size()) break;
            constexpr std::string_view kEscapes = "nrt\\'\"", kMeant = "\n\r\t\\'\"";
            const std::size_t which = kEscapes.find(rest()[i]);
            if (which == std::string_view::npos) made.text += '\\'; // as Python leaves those it does not know
            made.text += which == std::string_view::npos ? rest()[i] : kMeant[which];
        }
        if (i >= rest().size()) fail("a text in quotes is not closed");
        advance(i + 1);
        tokens_.push_back(std::move(made));
    }

    std::string_view source_;
    std::size_t at_ = 0;
    int line_ = 1;
    bool at_line_begin_ = true;
    std::vector<Token> tokens_;
};

} // namespace

std::vector<Token> tokens_of(std::string_view source) {
    return Lexer(source).run();
}

} // namespace program::jinja
