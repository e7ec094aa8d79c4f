// The main() of every test executable: doctest, then the checks that belong to the whole run.
#define DOCTEST_CONFIG_IMPLEMENT
#include <doctest/doctest.h>

#include "tests/support/finish.h"

#include <cstdio>
#include <vector>

namespace ff::test {
namespace {

std::vector<std::function<std::string()>> &checks() {
    static std::vector<std::function<std::string()>> list;
    return list;
}

} // namespace

void at_finish(std::function<std::string()> check) {
    checks().push_back(std::move(check));
}

} // namespace ff::test

int main(int argc, char **argv) {
    doctest::Context context(argc, argv);
    int status = context.run();
    if (context.shouldExit()) return status;
    // The last to be asked for is the first to go: a device outlives what was made from it.
    auto &checks = ff::test::checks();
    for (auto check = checks.rbegin(); check != checks.rend(); ++check) {
        const std::string failure = (*check)();
        if (failure.empty()) continue;
        std::fprintf(stderr, "FAILED after the last test: %s\n", failure.c_str());
        status = 1;
    }
    return status;
}
