// Deny lists as `firefinch doctor` writes them, without errors for it to find.
#pragma once

#include <string>
#include <vector>

namespace test {

// Writes the list of the device under test into `cache`: every variant of the kernel, by the names returned.
std::vector<std::string> deny_kernel(const std::string &cache, const std::string &kernel);

} // namespace test
