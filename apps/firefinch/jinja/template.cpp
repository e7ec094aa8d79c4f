#include "template.h"

#include "evaluate.h"

#include <fmt/format.h>

namespace program::jinja {
namespace {

class Renderer {
  public:
    explicit Renderer(Value::Map variables) : scopes_(std::move(variables)) {}

    std::string run(const Nodes &nodes) {
        render(nodes);
        return std::move(out_);
    }

  private:
    void render(const Nodes &nodes) {
        for (const Node &node : nodes) {
            budget_.spend(node.line);
            switch (node.kind) {
            case NodeKind::text:
                write(node.text, node.line);
                break;
            case NodeKind::output:
                write(evaluate(*node.value, scopes_, budget_).to_text(node.line), node.line);
                break;
            case NodeKind::branches:
                branches(node);
                break;
            case NodeKind::loop:
                loop(node);
                break;
            case NodeKind::set:
                set(node);
                break;
            }
        }
    }

    void write(const std::string &text, int line) {
        budget_.spend(line, text.size());
        if (out_.size() + text.size() > kLongestOutput) throw TemplateError(line, "the result grows beyond 32 MiB");
        out_ += text;
    }

    void branches(const Node &node) {
        for (const Node::Branch &branch : node.branches) {
            if (branch.condition != nullptr && !bool(evaluate(*branch.condition, scopes_, budget_))) continue;
            return render(branch.body);
        }
    }

    Value items_of(const Node &node) {
        const Value walked = evaluate(*node.value, scopes_, budget_);
        if (walked.undefined()) return Value::List();
        if (walked.list() == nullptr)
            throw TemplateError(node.line, fmt::format("'for' wants a list, and was given {}", walked.kind()));
        if (node.filter == nullptr) return walked;
        Value::List kept;
        for (const Value &item : *walked.list()) {
            scopes_.push();
            scopes_.set(node.text, item);
            if (bool(evaluate(*node.filter, scopes_, budget_))) kept.push_back(item);
            scopes_.pop();
        }
        return kept;
    }

    void loop(const Node &node) {
        const Value items = items_of(node);
        const auto count = static_cast<std::int64_t>(items.list()->size());
        for (std::int64_t i = 0; i < count; ++i) {
            budget_.spend(node.line);
            scopes_.push();
            scopes_.set(node.text, (*items.list())[static_cast<std::size_t>(i)]);
            scopes_.set(
                "loop",
                Value::Map{
                    {"index", i + 1}, {"index0", i}, {"first", i == 0}, {"last", i + 1 == count}, {"length", count}});
            render(node.branches.front().body);
            scopes_.pop();
        }
    }

    void set(const Node &node) {
        Value value = evaluate(*node.value, scopes_, budget_);
        if (node.attribute.empty()) return scopes_.set(node.text, std::move(value));
        Value space = scopes_.find(node.text); // shares its map
        if (space.map() == nullptr)
            throw TemplateError(
                node.line, fmt::format("'{}' is no namespace, so its {} cannot be set", node.text, node.attribute));
        check_item(value, node.line);
        space.put(node.attribute, std::move(value));
    }

    static constexpr std::size_t kLongestOutput = 32 << 20;
    Scopes scopes_;
    Budget budget_;
    std::string out_;
};

} // namespace

std::string Template::render(Value::Map variables) const {
    return Renderer(std::move(variables)).run(nodes_);
}

} // namespace program::jinja
