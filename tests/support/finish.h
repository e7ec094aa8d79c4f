// What must hold when an executable's last test is over.
#pragma once

#include <functional>
#include <string>

namespace ff::test {

// `check` runs once after all tests; a sentence it returns is printed and fails the run, an empty string passes.
void at_finish(std::function<std::string()> check);

} // namespace ff::test
