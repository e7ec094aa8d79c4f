// The part of Jinja that chat templates use, safe to run on a template from anywhere: it reaches nothing outside its
// variables, and its nesting, steps and texts are bounded.
//
// Text; {{ expression }}; {# comment #}; {% if %} elif else; {% for x in list [if condition] %} with loop.index,
// index0, first, last, length; {% set x = %} and {% set namespace.x = %}. Texts, whole numbers, booleans, none and
// lists; + - * // % ~, comparisons, in, and or not, x if y else z; x.y, x['y'], x[0], x[-1], x[1:]; what builtins.h and
// evaluate.cpp list. Not: macros, includes, filters as blocks, fractions, tojson, loops over pairs.
#pragma once

#include "ast.h"

#include <string>
#include <string_view>

namespace program::jinja {

class Template {
  public:
    explicit Template(std::string_view source) : nodes_(parse(source)) {} // throws TemplateError
    std::string render(Value::Map variables) const;                       // throws TemplateError

  private:
    Nodes nodes_;
};

} // namespace program::jinja
