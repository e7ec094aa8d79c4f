// How a command ends when it does not succeed; main turns each into its exit status and one line on stderr.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

namespace program {

constexpr int kDone = 0, kFailed = 1, kUsage = 2, kInterrupted = 130;

// The work failed: one sentence with what, where, expected, found, what to do.
class Failure : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// The command line asks for something that cannot be.
class UsageError : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

// Ctrl-C, where there is nothing more to do than stop.
class Interrupted : public std::runtime_error {
  public:
    Interrupted() : std::runtime_error("interrupted") {}
};

// `text` on one line and without control characters, fit for a message about it.
std::string printable(std::string_view text);

} // namespace program
