// The parts of a parsed template.
#pragma once

#include "value.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace program::jinja {

enum class ExpressionKind {
    literal,
    name,
    list,
    unary,
    binary,
    test,
    filter,
    call,
    attribute,
    index,
    slice,
    conditional
};

struct Expression;
using ExpressionPtr = std::unique_ptr<Expression>;

struct Expression {
    ExpressionKind kind;
    int line = 0;
    int depth = 1;    // of the tree below: rendering recurses as deep
    std::string name; // of a variable, attribute, filter or test; the sign of an operator
    Value literal;
    // operands; [object, index]; [object, from, to], where either may be nullptr; [condition, then, else]; [callee or
    // filtered or tested, arguments...]
    std::vector<ExpressionPtr> parts;
    std::vector<std::pair<std::string, ExpressionPtr>> named; // arguments
};

enum class NodeKind { text, output, branches, loop, set };

struct Node;
using Nodes = std::vector<Node>;

struct Node {
    struct Branch {
        ExpressionPtr condition; // nullptr: else
        Nodes body;
    };

    NodeKind kind;
    int line = 0;
    std::string text;             // text; the name that a loop or set gives a value to
    std::string attribute;        // of the namespace that set changes; "": a variable
    ExpressionPtr value;          // what is written, set, or walked through
    ExpressionPtr filter;         // {% for x in y if filter %}; may be nullptr
    std::vector<Branch> branches; // of an if; a loop has its body as the only one
};

// Throws TemplateError, also for nesting that rendering could not follow.
Nodes parse(std::string_view source);

} // namespace program::jinja
