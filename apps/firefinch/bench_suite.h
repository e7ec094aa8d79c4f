// `firefinch bench --suite standard`: the one run to share. docs/bench.md says what is in it and what the score means.
#pragma once

#include "bench_model.h"
#include "suite_walk.h"

#include <optional>
#include <string>
#include <vector>

namespace program {

struct SuiteReport {
    std::vector<Json> runs; // firefinch-bench/1 each
    std::string text;       // the runs' tables
    SuiteWalk walk;
    std::vector<double> ratios; // of tests that count, to what the score's device would do at best
    std::size_t tests = 0;      // that would count
    double seconds = 0;

    std::optional<double> score() const; // none where no test that counts was run
    Json to_json() const; // firefinch-suite/1
    std::string to_text() const;
};

constexpr float kSuiteSeconds = 160;

// Device and output options of `work` alone. What would not fit into `seconds`, by an estimate, is cut, and so is what fails.
// Throws Interrupted.
SuiteReport run_suite(firefinch::Engine &engine, const WorkOptions &work, double seconds, Terminal &terminal);

} // namespace program
