// Blocks: if, for, set. Expressions are in expression_parser.cpp.
#include "ast.h"
#include "expression_parser.h"

#include <fmt/format.h>

namespace program::jinja {
namespace {

constexpr int kDeepestBlocks = 32;
constexpr std::size_t kLongestSource = 1 << 20;

class Parser {
  public:
    explicit Parser(std::string_view source) : tokens_(tokens_of(source)) {}

    Nodes run() {
        Nodes all = body({});
        if (tokens_.peek().kind != TokenKind::end) unexpected_block();
        return all;
    }

  private:
    // Up to {% one of `ends` %} (whose {% and name are left to be read) or the end of the template.
    Nodes body(std::initializer_list<std::string_view> ends) {
        Nodes all;
        for (;;) {
            const Token &token = tokens_.peek();
            if (token.kind == TokenKind::end) return all;
            if (token.kind == TokenKind::text) {
                all.push_back(node(NodeKind::text));
                all.back().text = tokens_.take().text;
            } else if (token.kind == TokenKind::output_begin) {
                all.push_back(node(NodeKind::output));
                tokens_.take();
                all.back().value = parse_expression(tokens_);
                tokens_.expect(TokenKind::output_end, "}}");
            } else {
                for (const std::string_view end : ends)
                    if (tokens_.peek(1).text == end) return all;
                if (ends.size() == 0 && tokens_.peek(1).text.starts_with("e")) return all;
                all.push_back(block());
            }
        }
    }

    Node node(NodeKind kind) const {
        Node made;
        made.kind = kind;
        made.line = tokens_.peek().line;
        return made;
    }

    Node block() {
        const Token &name = tokens_.peek(1);
        if (++depth_ > kDeepestBlocks)
            throw TemplateError(name.line, fmt::format("blocks are nested more than {} deep", kDeepestBlocks));
        Node made = name.text == "if"    ? if_block()
                    : name.text == "for" ? for_block()
                    : name.text == "set" ? set_block()
                                         : (unexpected_block(), Node());
        --depth_;
        return made;
    }

    [[noreturn]] void unexpected_block() const {
        const Token &name = tokens_.peek(1);
        throw TemplateError(name.line, fmt::format("the block '{}' is not supported, or nothing is open that it could "
                                                   "end; known are if, elif, else, for, set",
                                                   name.text));
    }

    void open(std::string_view name) {
        tokens_.expect(TokenKind::block_begin, "{%");
        tokens_.expect_name(name);
    }
    void close() { tokens_.expect(TokenKind::block_end, "%}"); }

    Node if_block() {
        Node made = node(NodeKind::branches);
        std::string_view opened = "if";
        for (;;) {
            open(opened);
            Node::Branch branch;
            if (opened != "else") branch.condition = parse_expression(tokens_);
            close();
            branch.body = opened == "else" ? body({"endif"}) : body({"elif", "else", "endif"});
            made.branches.push_back(std::move(branch));
            if (tokens_.peek().kind == TokenKind::end) throw TemplateError(made.line, "an if is not closed by endif");
            const std::string next = tokens_.peek(1).text;
            if (next == "endif") break;
            opened = next == "else" ? "else" : "elif";
        }
        open("endif");
        close();
        return made;
    }

    Node for_block() {
        Node made = node(NodeKind::loop);
        open("for");
        made.text = tokens_.expect(TokenKind::name, "the loop's variable").text;
        if (tokens_.peek().text == ",")
            throw TemplateError(made.line, "a loop over pairs is not supported, only 'for x in list'");
        tokens_.expect_name("in");
        made.value = parse_operand(tokens_); // without a conditional, since an 'if' belongs to the loop
        if (tokens_.take_name("if")) made.filter = parse_operand(tokens_);
        close();
        Node::Branch branch;
        branch.body = body({"endfor"});
        made.branches.push_back(std::move(branch));
        if (tokens_.peek().kind == TokenKind::end) throw TemplateError(made.line, "a for is not closed by endfor");
        open("endfor");
        close();
        return made;
    }

    Node set_block() {
        Node made = node(NodeKind::set);
        open("set");
        made.text = tokens_.expect(TokenKind::name, "the variable's name").text;
        if (tokens_.take_sign(".")) made.attribute = tokens_.expect(TokenKind::name, "the attribute's name").text;
        tokens_.expect_sign("=");
        made.value = parse_expression(tokens_);
        close();
        return made;
    }

    TokenStream tokens_;
    int depth_ = 0;
};

} // namespace

Nodes parse(std::string_view source) {
    if (source.size() > kLongestSource)
        throw TemplateError(
            1, fmt::format("the template has {} bytes, at most {} are read", source.size(), kLongestSource));
    return Parser(source).run();
}

} // namespace program::jinja
