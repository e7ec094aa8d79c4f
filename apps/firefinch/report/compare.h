// Is one bench faster or slower than another, or is what differs noise? Bootstrap over the raw samples; docs/bench.md
// says how far that reaches.
#pragma once

#include "report/bench_file.h"

#include <optional>
#include <span>
#include <vector>

namespace program::report {

struct Interval {
    double low, high;
};

// 95 % interval of median(samples) / median(base), from resamples of both: Efron's percentile bootstrap ("Bootstrap
// methods: another look at the jackknife", 1979). Samples are above 0, one at least on each side. The seed is fixed:
// the same samples give the same interval.
Interval bootstrap_ratio(std::span<const double> base, std::span<const double> samples);

// With three samples on each side, chance alone puts all of one above all of the other in 2 of 20 orders: no test by
// order can then claim 95 %. With four it is 2 of 70.
constexpr std::size_t kLeastSamples = 4;

enum class Verdict { too_few_samples, no_clear_difference, slower, faster };
const char *verdict_name(Verdict verdict);

// A figure beside the baseline's.
struct Change {
    double ratio = 1;                 // of the medians
    std::optional<Interval> interval; // none with too few samples
    Verdict verdict = Verdict::too_few_samples;
};

// How far beyond 1 the whole interval must lie for a verdict.
constexpr double kTolerance = 0.02;

enum class Better { larger, smaller };
Change compare_samples(std::span<const double> base, std::span<const double> samples, Better better, double tolerance);

// The limit is measured in each run: where that of one device moved by more than a tenth, so did what the tests ran on.
bool other_conditions(const BenchFile &base, const BenchFile &file);

// A test that both files have.
struct Difference {
    const BenchTest *base, *test; // of the files that were compared
    Change speed;
    std::optional<Change> host; // none where a file does not know its host time, or it is 0
};
// In the order of the baseline's results. The files must outlive it.
std::vector<Difference> differences(const BenchFile &base, const BenchFile &file, double tolerance);

} // namespace program::report
