#include "bench_model.h"

#include "device_text.h"
#include "failure.h"
#include "system.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include <fmt/format.h>

namespace program {
namespace {

using Clock = std::chrono::steady_clock;

// What most bytes of the weights are kept as.
std::string weights_name(const BenchJob &job, const firefinch::Checkpoint &checkpoint) {
    if (job.work.weights != WorkOptions().weights) return job.work.weights;
    std::map<std::string, std::uint64_t> bytes;
    for (std::size_t i = 0; i < checkpoint.tensor_count(); ++i) {
        const ff_tensor_info tensor = checkpoint.tensor(i);
        bytes[tensor.dtype] += tensor.bytes;
    }
    return std::max_element(bytes.begin(), bytes.end(),
                            [](const auto &a, const auto &b) { return a.second < b.second; })
        ->first;
}

} // namespace

std::string BenchJob::model_name() const {
    if (!shape.empty()) return fmt::format("{} (random weights)", shape);
    return work.demo() ? "demo" : std::filesystem::path(work.model).filename().string();
}

BenchReport bench_model(firefinch::Engine &engine, const firefinch::Checkpoint &checkpoint, const BenchJob &job,
                        Clock::time_point start, Terminal &terminal) {
    const BenchPlan &plan = job.plan;
    BenchReport report;
    {
        const bool made_so = !job.shape.empty(); // random weights need no conversion
        const firefinch::Model model =
            open_model(engine, checkpoint, made_so ? WorkOptions().weights : job.work.weights, terminal,
                       *std::max_element(plan.batches.begin(), plan.batches.end()) + 1);
        firefinch::Session session(model);
        report.startup.first_token_seconds = std::chrono::duration<double>(first_token(session) - start).count();

        if (plan.prefill > 0) report.results.push_back(bench_prefill(model, session, plan, terminal));
        if (plan.decode > 0)
            for (const std::uint32_t batch : plan.batches)
                report.results.push_back(batch == 1 ? bench_decode(model, session, plan, terminal)
                                                    : bench_batch(model, batch, plan, terminal));
        report.kernels_wanted = job.kernels;
        if (job.kernels) report.kernels = bench_kernels(session, plan, terminal);
        report.statistics = model.statistics();
    }
    // Behind the work, so that the device is as warm as for it, and the buffer is not counted as the model's memory.
    report.startup.peak_host_bytes = peak_host_bytes();
    terminal.note("roofline: reading memory, multiplying and adding");
    report.roofline = engine.measure();
    if (interrupted()) throw Interrupted();

    report.model_name = job.model_name();
    report.weights = weights_name(job, checkpoint);
    report.model = checkpoint.info();
    report.device = engine.device();
    report.profile = job.work.device.profile;
    report.traits = traits_of(report.device, report.profile);
    for (const firefinch::Named &variant : engine.denied()) report.denied.push_back(variant.name);
    return report;
}

} // namespace program
