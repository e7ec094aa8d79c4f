// Filters, tests and methods. All throw TemplateError for what is not supported, naming it and what is.
#pragma once

#include "budget.h"
#include "value.h"

#include <string>
#include <vector>

namespace program::jinja {

using Values = std::vector<Value>;

Value apply_filter(const std::string &name, const Value &value, const Values &arguments, int line, Budget &budget);
bool apply_test(const std::string &name, const Value &value, const Values &arguments, int line);
Value call_method(const std::string &name, const Value &object, const Values &arguments, int line, Budget &budget);
bool contains(const Value &container, const Value &item, int line, Budget &budget); // item in container

} // namespace program::jinja
