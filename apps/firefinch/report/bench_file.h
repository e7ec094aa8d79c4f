// A file that `firefinch bench --json` wrote (schemas firefinch-bench/1 and firefinch-suite/1, docs/cli.md), read and checked. Others write
// such files too, and send them: nothing in one is believed before it was looked at.
#pragma once

#include "spread.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace program::report {

struct BenchTest {
    std::string test; // "prefill" or "decode"
    std::uint64_t batch = 1, tokens = 0, repeats = 0;
    Spread tokens_per_second{};
    std::optional<double> bandwidth_fraction, dispatches_per_token, submissions_per_token, host_microseconds_per_token;
    std::vector<double> speed_samples, host_samples; // empty if the file has none

    bool same_test(const BenchTest &other) const {
        return test == other.test && batch == other.batch && tokens == other.tokens;
    }
};

struct BenchKernel {
    std::string name, variant;
    std::uint64_t calls_per_token = 0, bytes = 0;
    double microseconds = 0;
    std::optional<double> bandwidth_fraction;
};

// What one run or more are read from. Texts are on one line (see utf8.h), not escaped; what is not known is "", none or 0.
struct BenchSource {
    std::string path; // as it was given
    struct Suite {
        std::optional<double> score; // none where no test counts
        std::uint64_t scored_tests = 0, tests = 0;
        std::vector<std::string> cut; // what was made smaller or left out, a sentence each
    };
    std::optional<Suite> suite; // none if it is a run, or an array of them

    std::string file_name() const; // of the path, on one line
};

// A run; texts and what is not known as above.
struct BenchFile {
    std::shared_ptr<const BenchSource> source; // that it was read from; never null
    std::string path;                          // the source's, and which of its runs this is
    std::string firefinch, time;
    struct Device {
        std::string name, vendor, driver, driver_version, api_version, type, profile;
        std::uint64_t memory_bytes = 0;
        std::vector<std::pair<std::string, std::string>> traits; // by name
    } device;
    std::string host_os, host_cpu;
    struct Model {
        std::string name, version, weights;
        std::uint64_t layers = 0, width = 0, vocabulary = 0, parameters = 0, bytes_read_per_token = 0;
    } model;
    double read_bytes_per_second = 0, multiply_adds_per_second = 0;
    std::optional<double> matrix_multiply_adds_per_second;
    std::vector<BenchTest> results;
    std::vector<BenchKernel> kernels;
    bool kernels_refused = false; // asked for, but the device has no timestamps
    double load_seconds = 0, pipeline_seconds = 0, first_token_seconds = 0;
    std::uint64_t device_bytes = 0;
    std::optional<std::uint64_t> peak_host_bytes;
    std::optional<bool> tuned;                      // launches had values that 'firefinch tune' measured
    std::optional<std::vector<std::string>> denied; // kernel variants ruled out on this device

    std::string file_name() const; // of the path, on one line
    // Shapes alike; the weights may be of another type.
    bool same_model(const BenchFile &other) const;
    // The first such test; null if there is none.
    const BenchTest *find(const BenchTest &like) const;
};

constexpr std::size_t kLargestBenchFile = 16U << 20;

// Throws Failure, which names the file, the member, what was expected and what was found. One run, or those of a suite
// (schema firefinch-suite/1) or of an array of runs, each called "PATH, run N".
std::vector<BenchFile> parse_bench_files(const std::string &path, std::string_view text);

} // namespace program::report
