// Expressions to values.
#pragma once

#include "ast.h"
#include "budget.h"

#include <string>
#include <vector>

namespace program::jinja {

// Names and what they mean, the innermost last. An if opens none, each turn of a loop does.
class Scopes {
  public:
    explicit Scopes(Value::Map globals) : levels_{Value(std::move(globals))} {}
    Value find(const std::string &name) const; // undefined if nobody set it
    void set(const std::string &name, Value value) { levels_.back().put(name, std::move(value)); }
    void push() { levels_.emplace_back(Value::Map()); }
    void pop() { levels_.pop_back(); }

  private:
    std::vector<Value> levels_;
};

// Throws TemplateError if the value may not be put into a list or namespace.
void check_item(const Value &item, int line);

Value evaluate(const Expression &expression, const Scopes &scopes, Budget &budget);

} // namespace program::jinja
