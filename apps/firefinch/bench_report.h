// What `firefinch bench` found, as JSON (schema firefinch-bench/1) and as a table.
#pragma once

#include "bench_run.h"
#include "text.h"

namespace program {

struct BenchStartup {
    double first_token_seconds = 0; // from opening the device to the first token
    std::uint64_t peak_host_bytes = 0;
};

struct BenchReport {
    std::string model_name, weights;
    ff_model_info model{};
    ff_model_statistics statistics{};
    ff_device_info device{};
    Json traits; // null if not known
    std::string profile;
    ff_roofline roofline{};
    std::vector<BenchResult> results;
    bool kernels_wanted = false;
    KernelTimes kernels;
    BenchStartup startup;
    std::vector<std::string> denied; // variants that the deny list keeps from being used

    Json to_json() const;
    std::string to_text() const;
    // Device, driver and what they do at best: to be pasted beside a number.
    std::string device_line() const;
};

} // namespace program
