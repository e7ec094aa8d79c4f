#include "bench_suite.h"

#include "device_text.h"
#include "failure.h"

#include <cmath>

#include <fmt/format.h>

namespace program {
namespace {

using Clock = std::chrono::steady_clock;

// Fixed, so that runs can be compared: the demo model, and two shapes each of 16-bit and of 4-bit weights.
struct SuiteModel {
    const char *shape, *weights;
    bool counts; // for the score: the demo model is too small to say much but what a launch costs
};
constexpr SuiteModel kModels[] = {
    {"", "as-stored", false}, {"7-0.1b", "f16", true}, {"7-0.4b", "f16", true}, {"7-1.5b", "q4_k", true}, {"7-2.9b", "q4_k", true}};
constexpr std::size_t kScoredTests = 2; // decode and prefill, of one session

struct Size {
    std::uint64_t prefill, decode, repeats;
    bool batch; // of 8 sessions as well
};
constexpr Size kSizes[] = {{512, 128, 4, true}, {256, 64, 4, true}, {128, 32, 4, true}, {64, 16, 4, false}};
constexpr std::uint32_t kBatch = 8;
constexpr double kCoolDownSeconds = 1;

// The score's measure: what a device that reads 100 GB/s and does 10^12 multiply-adds a second would do at best.
constexpr double kScoreReads = 100e9, kScoreMultiplies = 1e12;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Roughly: half of what memory allows for decoding, a tenth of what arithmetic allows for a prompt, and loading.
double estimate(const firefinch::Checkpoint &checkpoint, const ff_roofline &roofline, const Size &size) {
    const ff_model_info model = checkpoint.info();
    const double bytes = static_cast<double>(model.bytes), tokens = static_cast<double>(size.decode);
    const double decode = tokens * (2 * bytes / roofline.read_bytes_per_second + 100e-6);
    const double prefill =
        static_cast<double>(size.prefill * model.parameters) / (0.1 * roofline.multiply_adds_per_second);
    const double together = size.batch ? 2 * decode : 0, tests = size.batch ? 3 : 2;
    const auto repeats = static_cast<double>(size.repeats);
    return 2 + bytes / 1e9 + (repeats + 1) * (decode + prefill + together) + repeats * tests * kCoolDownSeconds;
}

BenchPlan plan_of(const Size &size) {
    BenchPlan plan;
    plan.prefill = size.prefill;
    plan.decode = size.decode;
    plan.repeats = size.repeats;
    plan.cool_down = kCoolDownSeconds;
    plan.batches = size.batch ? std::vector<std::uint32_t>{1, kBatch} : std::vector<std::uint32_t>{1};
    return plan;
}

void count(const BenchReport &report, SuiteReport &suite) {
    for (const BenchResult &result : report.results) {
        if (result.batch != 1) continue;
        const double best = result.test == "decode"
                                ? kScoreReads / static_cast<double>(report.statistics.bytes_read_per_token)
                                : kScoreMultiplies / static_cast<double>(report.model.parameters);
        suite.ratios.push_back(spread_of(result.tokens_per_second).median / best);
    }
}

} // namespace

double SuiteReport::score() const {
    if (ratios.empty()) return 0;
    double sum = 0;
    for (const double ratio : ratios) sum += std::log(ratio);
    return 100 * std::exp(sum / static_cast<double>(ratios.size()));
}

Json SuiteReport::to_json() const {
    Json json = report_json("firefinch-suite/1");
    json["suite"] = "standard";
    json["score"] = score();
    json["scored_tests"] = ratios.size();
    json["tests"] = tests;
    json["cut"] = cut;
    json["seconds"] = seconds;
    json["runs"] = runs;
    return json;
}

std::string SuiteReport::to_text() const {
    std::string out = text;
    for (const std::string &sentence : cut) out += fmt::format("cut: {}\n", sentence);
    return out + fmt::format("score {:.1f} (of {} of {} tests; 100: 100 GB/s and 10^12 multiply-adds a second, used to the full), {:.0f} s\n",
                             score(), ratios.size(), tests, seconds);
}

SuiteReport run_suite(firefinch::Engine &engine, const WorkOptions &work, double seconds, Terminal &terminal) {
    SuiteReport suite;
    const auto start = Clock::now();
    terminal.note("roofline: reading memory, multiplying and adding");
    const ff_roofline roofline = engine.measure();
    double slower = 1; // than estimated, so far
    std::size_t left = std::size(kModels);
    for (const SuiteModel &each : kModels) {
        BenchJob job;
        job.work.output = work.output;
        job.work.device = work.device;
        job.shape = each.shape;
        job.work.weights = each.weights;
        if (each.counts) suite.tests += kScoredTests;
        const firefinch::Checkpoint checkpoint = open_model_or_shape(job.work, job.shape);
        // Each model has an equal part of the time that is left; what one does not need the next ones have.
        const double allowed = (seconds - seconds_since(start)) / static_cast<double>(left--);
        const Size *size = nullptr;
        for (const Size &candidate : kSizes)
            if (!size && slower * estimate(checkpoint, roofline, candidate) <= allowed) size = &candidate;
        if (!size && !each.counts) size = std::end(kSizes) - 1; // a report without a run says nothing
        if (!size) {
            suite.cut.push_back(fmt::format("{} {}: would take too long on this device", job.model_name(), each.weights));
            continue;
        }
        if (size != &kSizes[0])
            suite.cut.push_back(fmt::format("{} {}: a prompt of {} tokens, {} decoded, {} repeats{}", job.model_name(),
                                            each.weights, size->prefill, size->decode, size->repeats,
                                            size->batch ? "" : ", no batch"));
        job.plan = plan_of(*size);
        terminal.note(fmt::format("{}, {}", job.model_name(), each.weights));
        const auto begin = Clock::now();
        try {
            const BenchReport report = bench_model(engine, checkpoint, job, begin, terminal);
            if (each.counts) count(report, suite);
            suite.runs.push_back(report.to_json());
            suite.text += report.to_text() + "\n";
        } catch (const firefinch::Error &error) {
            if (error.status() != FF_ERROR_OUT_OF_DEVICE_MEMORY) throw;
            suite.cut.push_back(fmt::format("{} {}: {}", job.model_name(), each.weights, error.what()));
            continue;
        }
        slower = std::max(slower, seconds_since(begin) / estimate(checkpoint, roofline, *size));
    }
    suite.seconds = seconds_since(start);
    return suite;
}

} // namespace program
