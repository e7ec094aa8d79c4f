// The measurements of `firefinch bench`, as plain data.
#pragma once

#include "spread.h"
#include "terminal.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <firefinch/firefinch.hpp>

namespace program {

struct BenchPlan {
    std::uint64_t prefill = 512, decode = 128, repeats = 5; // tokens; 0: this test is left out
    std::vector<std::uint32_t> batches = {1};               // sessions that decode together, a test each
    double cool_down = 0;                                   // seconds before every repeat but the first of all
};

// One test: a sample a repeat, in the order measured.
struct BenchResult {
    std::string test; // "prefill" or "decode"
    std::uint32_t batch = 1;
    std::uint64_t tokens = 0; // of each session
    std::vector<double> tokens_per_second, host_microseconds_per_token;
    std::vector<double> submissions_per_token, launches_per_token;
    double tuned_per_token = 0, tunable_per_token = 0; // of the launches: with tuned values, and with any to choose
};

// Reads the prompt into a new state each time: random tokens, the same in every repeat. A first run that is not counted
// compiles pipelines and wakes the device. Throws Interrupted.
BenchResult bench_prefill(const firefinch::Model &model, firefinch::Session &session, const BenchPlan &plan,
                          Terminal &terminal);
// Generates greedily behind one token, each token delivered to the host as to a program that shows it; likewise.
BenchResult bench_decode(const firefinch::Model &model, firefinch::Session &session, const BenchPlan &plan,
                         Terminal &terminal);
// The same for `count` sessions in a batch; tokens/s are those of all together.
BenchResult bench_batch(const firefinch::Model &model, std::uint32_t count, const BenchPlan &plan, Terminal &terminal);

// Reads one token into a new state and generates one; when that was delivered. Throws Interrupted.
std::chrono::steady_clock::time_point first_token(firefinch::Session &session);

struct KernelTimes {
    std::vector<ff_kernel_cost> kernels;
    std::optional<firefinch::ProfileReport> report; // that their names belong to
    std::string refusal;                            // why there are none
};
KernelTimes bench_kernels(firefinch::Session &session, const BenchPlan &plan, Terminal &terminal);

} // namespace program
