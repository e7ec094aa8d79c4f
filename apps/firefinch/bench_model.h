// The bench of one model, from opening it to the last figure.
#pragma once

#include "bench_report.h"
#include "open.h"

#include <chrono>

namespace program {

struct BenchJob {
    WorkOptions work;
    std::string shape; // a model of random weights; "": a file, or the demo model
    BenchPlan plan;
    bool kernels = false;

    std::string model_name() const;
};

// `start`: when the device was opened. The report's texts belong to the engine and the checkpoint. Throws Interrupted.
BenchReport bench_model(firefinch::Engine &engine, const firefinch::Checkpoint &checkpoint, const BenchJob &job,
                        std::chrono::steady_clock::time_point start, Terminal &terminal);

} // namespace program
