// How `firefinch bench --suite` goes through its models: how large each run is, and what becomes of one that cannot be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace program {

struct SuiteSize {
    std::uint64_t prefill, decode, repeats;
    bool batch; // of several sessions as well
    bool operator==(const SuiteSize &) const = default;
};

struct SuiteOutcome {
    enum class Kind : std::uint8_t { done, unsupported, failed, device_lost };
    Kind kind = Kind::done;
    std::string why; // a sentence, unless it is done
};

struct SuitePart {
    std::string name;
    bool small = false; // run however little time there is, and too small to say how fast the others are
    std::function<double(const SuiteSize &)> estimate; // seconds
    std::function<SuiteOutcome(const SuiteSize &)> run;
};

struct SuiteWalk {
    std::vector<std::string> cut; // what was made smaller or left out, a sentence each
    std::string device_lost;      // why the walk ended early; "": it did not
};

// Runs the parts in their order, of each what fits into `seconds`, by its estimate and by how far off those before it were.
// `now`: seconds since the suite began.
SuiteWalk walk_suite(const std::vector<SuitePart> &parts, double seconds, const std::function<double()> &now);

} // namespace program
