// Expressions, with Jinja's precedence: if-else, or, and, not, comparison and in, + and -, ~, * / // %, sign, then
// attributes, indices, calls, filters and tests.
#pragma once

#include "ast.h"
#include "token_stream.h"

namespace program::jinja {

ExpressionPtr parse_expression(TokenStream &tokens);
ExpressionPtr parse_operand(TokenStream &tokens); // one that is no if-else

} // namespace program::jinja
