// The files of a report as its runs: what each is called, and how its tests are.
#pragma once

#include "report/bench_file.h"
#include "report/compare.h"
#include "report/page.h"

#include <optional>
#include <string>
#include <vector>

namespace program::report {

// "1: demo, f16": the number, and of model, weights, device, driver, its version and firefinch's what tells this run from the
// others.
std::vector<std::string> run_names(const std::vector<BenchFile> &files);

// What the file is called that each run was read from: "suite.json", of several "suite.json (file 2)".
std::vector<std::string> source_names(const std::vector<BenchFile> &files);

// The run that one is compared with: the first before it of the same model and weights, else of the same shape. Nothing for the first
// of its shape.
std::optional<std::size_t> baseline_of(const std::vector<BenchFile> &files, std::size_t run);

// Which runs others are compared with. None where nothing can be compared: a single run, or models of as many shapes.
std::vector<bool> baselines(const std::vector<BenchFile> &files);

std::string device_of(const BenchFile &file); // with its profile, if traits were masked

std::string test_title(const BenchTest &test); // Decode of 128 tokens, 8 sessions (tg128 x8)
std::string test_code(const BenchTest &test);  // tg128 x8, as bench calls it

// Each test that any file has, once, in the order of the files.
std::vector<BenchTest> all_tests(const std::vector<BenchFile> &files);

// That the limit was another in this run than in the baseline.
std::string conditions_text(const BenchFile &base, const BenchFile &file);

// "-", where a figure is not known.
std::string figure(const std::optional<double> &value, int decimals);
std::string percent_or_none(const std::optional<double> &fraction);

// A change and its interval in one manner: "-3.1 %", "-4.0 % to -2.2 %"; where one of the three is beyond the half or
// the double "x0.42", "x0.40 to x0.51". The interval is "-" where there is none.
struct ChangeTexts {
    std::string change, interval;
};
ChangeTexts change_texts(double ratio, const std::optional<Interval> &interval = {});

} // namespace program::report
