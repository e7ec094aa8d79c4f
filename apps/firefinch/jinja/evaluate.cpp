#include "evaluate.h"

#include "builtins.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace program::jinja {
namespace {

class Evaluator {
  public:
    Evaluator(const Scopes &scopes, Budget &budget) : scopes_(scopes), budget_(budget) {}

    Value value(const Expression &e) {
        budget_.spend(e.line);
        switch (e.kind) {
        case ExpressionKind::literal:
            return e.literal;
        case ExpressionKind::name:
            return scopes_.find(e.name);
        case ExpressionKind::list: {
            Values items = values(e, 0);
            for (const Value &item : items) check_item(item, e.line);
            return items;
        }
        case ExpressionKind::unary:
            return unary(e);
        case ExpressionKind::binary:
            return binary(e);
        case ExpressionKind::test:
            return apply_test(e.name, value(*e.parts[0]), values(e, 1), e.line);
        case ExpressionKind::filter:
            return apply_filter(e.name, value(*e.parts[0]), values(e, 1), e.line, budget_);
        case ExpressionKind::call:
            return call(e);
        case ExpressionKind::attribute:
            return attribute(value(*e.parts[0]), Value(e.name), e.line);
        case ExpressionKind::index:
            return attribute(value(*e.parts[0]), value(*e.parts[1]), e.line);
        case ExpressionKind::slice:
            return slice(e);
        case ExpressionKind::conditional:
            if (bool(value(*e.parts[0]))) return value(*e.parts[1]);
            return e.parts.size() > 2 ? value(*e.parts[2]) : Value();
        }
        return {};
    }

  private:
    Values values(const Expression &e, std::size_t from) {
        if (!e.named.empty() && e.kind != ExpressionKind::call)
            throw TemplateError(e.line, fmt::format("'{}' takes no argument by name here", e.name));
        Values all;
        for (std::size_t i = from; i < e.parts.size(); ++i) all.push_back(value(*e.parts[i]));
        return all;
    }

    Value unary(const Expression &e) {
        const Value operand = value(*e.parts[0]);
        if (e.name == "not") return !bool(operand);
        return -number(operand, e);
    }

    // Within 32 bits, so that no operation on two of them overflows.
    std::int64_t number(const Value &value, const Expression &e) const {
        if (value.number() == nullptr)
            throw TemplateError(e.line, fmt::format("'{}' wants numbers, and was given {}", e.name, value.kind()));
        if (*value.number() > std::numeric_limits<std::int32_t>::max() ||
            *value.number() < std::numeric_limits<std::int32_t>::min())
            throw TemplateError(e.line, fmt::format("'{}': the number {} is too large", e.name, *value.number()));
        return *value.number();
    }

    Value binary(const Expression &e) {
        const Value left = value(*e.parts[0]);
        if (e.name == "and") return bool(left) ? value(*e.parts[1]) : left;
        if (e.name == "or") return bool(left) ? left : value(*e.parts[1]);
        const Value right = value(*e.parts[1]);
        if (e.name == "==") return left == right;
        if (e.name == "!=") return !(left == right);
        if (e.name == "in") return contains(right, left, e.line, budget_);
        if (e.name == "~") return concatenated(left.to_text(e.line), right.to_text(e.line), e.line);
        if (e.name == "+" && left.text() != nullptr && right.text() != nullptr)
            return concatenated(*left.text(), *right.text(), e.line);
        if (e.name == "+" && left.list() != nullptr && right.list() != nullptr) {
            Value::List all = *left.list();
            all.insert(all.end(), right.list()->begin(), right.list()->end());
            budget_.spend(e.line, all.size() * 64);
            return all;
        }
        if (e.name == "+" && (left.text() != nullptr || right.text() != nullptr))
            throw TemplateError(
                e.line, fmt::format("{} and {} cannot be added; ~ makes text of both", left.kind(), right.kind()));
        return arithmetic(number(left, e), number(right, e), e);
    }

    static Value arithmetic(std::int64_t a, std::int64_t b, const Expression &e) {
        if (e.name == "+") return a + b;
        if (e.name == "-") return a - b;
        if (e.name == "*") return a * b;
        if (e.name == "<") return a < b;
        if (e.name == "<=") return a <= b;
        if (e.name == ">") return a > b;
        if (e.name == ">=") return a >= b;
        if (e.name != "//" && e.name != "%")
            throw TemplateError(e.line,
                                fmt::format("the operator '{}' is not supported; // divides whole numbers", e.name));
        if (b == 0) throw TemplateError(e.line, "a number is divided by 0");
        const std::int64_t quotient = a / b - (a % b != 0 && (a < 0) != (b < 0) ? 1 : 0); // towards less, as Python's
        return e.name == "//" ? quotient : a - quotient * b;
    }

    Value concatenated(const std::string &left, const std::string &right, int line) {
        budget_.check_text(line, left.size() + right.size());
        return left + right;
    }

    Value call(const Expression &e) {
        const Expression &callee = *e.parts[0];
        if (callee.kind == ExpressionKind::attribute) {
            const Value object = value(*callee.parts[0]);
            return call_method(callee.name, object, values(e, 1), e.line, budget_);
        }
        if (callee.kind == ExpressionKind::name && callee.name == "namespace") {
            Value::Map fields;
            for (const auto &[name, field] : e.named) {
                fields.emplace_back(name, value(*field));
                check_item(fields.back().second, e.line);
            }
            return Value::make_namespace(std::move(fields));
        }
        if (callee.kind == ExpressionKind::name && callee.name == "raise_exception") {
            const Values arguments = values(e, 1);
            throw TemplateError(e.line,
                                "the template refuses: " + (arguments.empty() ? "" : arguments[0].to_text(e.line)));
        }
        throw TemplateError(e.line, fmt::format("the function '{}' is not supported; known are namespace and "
                                                "raise_exception",
                                                callee.name));
    }

    Value attribute(const Value &object, const Value &key, int line) {
        if (object.map() != nullptr && key.text() != nullptr) {
            const Value *found = object.find(*key.text());
            return found == nullptr ? Value() : *found;
        }
        if (object.list() != nullptr && key.number() != nullptr) {
            const auto size = static_cast<std::int64_t>(object.list()->size());
            const std::int64_t at = *key.number() < 0 ? *key.number() + size : *key.number();
            return at < 0 || at >= size ? Value() : (*object.list())[static_cast<std::size_t>(at)];
        }
        if (object.undefined())
            throw TemplateError(line, fmt::format("'{}' is asked of something undefined", key.to_text(line)));
        return {};
    }

    Value slice(const Expression &e) {
        const Value object = value(*e.parts[0]);
        if (object.list() == nullptr && object.text() == nullptr)
            throw TemplateError(e.line, fmt::format("{} cannot be sliced", object.kind()));
        const auto size =
            static_cast<std::int64_t>(object.list() != nullptr ? object.list()->size() : object.text()->size());
        const auto bound = [&](const ExpressionPtr &part, std::int64_t otherwise) {
            if (part == nullptr) return otherwise;
            const Value given = value(*part);
            if (given.none()) return otherwise;
            const std::int64_t at = number(given, e);
            return std::clamp<std::int64_t>(at < 0 ? at + size : at, 0, size);
        };
        const std::int64_t from = bound(e.parts[1], 0), to = std::max(from, bound(e.parts[2], size));
        budget_.spend(e.line, static_cast<std::size_t>(to - from) * (object.list() != nullptr ? 64 : 1));
        if (object.text() != nullptr) // by bytes: a template cuts texts at ASCII only
            return object.text()->substr(static_cast<std::size_t>(from), static_cast<std::size_t>(to - from));
        return Value::List(object.list()->begin() + from, object.list()->begin() + to);
    }

    const Scopes &scopes_;
    Budget &budget_;
};

} // namespace

void check_item(const Value &item, int line) {
    if (item.depth() > Value::kDeepestItem)
        throw TemplateError(line,
                            fmt::format("{} is put into another value; namespaces cannot be, and lists only {} deep",
                                        item.kind(), Value::kDeepestItem));
}

Value Scopes::find(const std::string &name) const {
    for (auto level = levels_.rbegin(); level != levels_.rend(); ++level)
        if (const Value *found = level->find(name)) return *found;
    return {};
}

Value evaluate(const Expression &expression, const Scopes &scopes, Budget &budget) {
    return Evaluator(scopes, budget).value(expression);
}

} // namespace program::jinja
