#include "bench_suite.h"

#include "device_text.h"
#include "failure.h"

#include <cmath>
#include <memory>

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

constexpr std::uint32_t kBatch = 8;
constexpr double kCoolDownSeconds = 1;

// The score's measure: what a device that reads 100 GB/s and does 10^12 multiply-adds a second would do at best.
constexpr double kScoreReads = 100e9, kScoreMultiplies = 1e12;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

// Roughly: half of what memory allows for decoding, a tenth of what arithmetic allows for a prompt, and loading.
double estimate(const firefinch::Checkpoint &checkpoint, const ff_roofline &roofline, const SuiteSize &size) {
    const ff_model_info model = checkpoint.info();
    const double bytes = static_cast<double>(model.bytes), tokens = static_cast<double>(size.decode);
    const double decode = tokens * (2 * bytes / roofline.read_bytes_per_second + 100e-6);
    const double prefill =
        static_cast<double>(size.prefill * model.parameters) / (0.1 * roofline.multiply_adds_per_second);
    const double together = size.batch ? 2 * decode : 0, tests = size.batch ? 3 : 2;
    const auto repeats = static_cast<double>(size.repeats);
    return 2 + bytes / 1e9 + (repeats + 1) * (decode + prefill + together) + repeats * tests * kCoolDownSeconds;
}

BenchPlan plan_of(const SuiteSize &size) {
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

// What the walk has to know of an error; Ctrl-C while a model is loaded comes as one, and ends the suite.
SuiteOutcome outcome_of(const firefinch::Error &error) {
    using Kind = SuiteOutcome::Kind;
    switch (error.status()) {
    case FF_ERROR_CANCELLED:
        throw Interrupted();
    case FF_ERROR_UNSUPPORTED:
        return {Kind::unsupported, error.what()};
    case FF_ERROR_DEVICE_LOST:
        return {Kind::device_lost, error.what()};
    default:
        return {Kind::failed, error.what()};
    }
}

BenchJob job_of(const SuiteModel &model, const WorkOptions &work) {
    BenchJob job;
    job.work.output = work.output;
    job.work.device = work.device;
    job.shape = model.shape;
    job.work.weights = model.weights;
    return job;
}

SuiteOutcome run_model(firefinch::Engine &engine, const firefinch::Checkpoint &checkpoint, BenchJob job, const SuiteSize &size,
                       bool counts, Terminal &terminal, SuiteReport &suite) {
    job.plan = plan_of(size);
    try {
        const BenchReport report = bench_model(engine, checkpoint, job, Clock::now(), terminal);
        if (counts) count(report, suite);
        suite.runs.push_back(report.to_json());
        suite.text += report.to_text() + "\n";
        return {};
    } catch (const firefinch::Error &error) {
        return outcome_of(error);
    }
}

} // namespace

std::optional<double> SuiteReport::score() const {
    if (ratios.empty()) return std::nullopt;
    double sum = 0;
    for (const double ratio : ratios) sum += std::log(ratio);
    return 100 * std::exp(sum / static_cast<double>(ratios.size()));
}

Json SuiteReport::to_json() const {
    const std::optional<double> points = score();
    Json json = report_json("firefinch-suite/1");
    json["suite"] = "standard";
    json["score"] = points ? Json(*points) : Json();
    json["scored_tests"] = ratios.size();
    json["tests"] = tests;
    json["cut"] = walk.cut;
    json["seconds"] = seconds;
    json["runs"] = runs;
    return json;
}

std::string SuiteReport::to_text() const {
    std::string out = text;
    for (const std::string &sentence : walk.cut) out += fmt::format("cut: {}\n", printable(sentence));
    const std::optional<double> points = score();
    if (!points) return out + fmt::format("no score: none of the {} tests that count could be run, {:.0f} s\n", tests, seconds);
    return out + fmt::format("score {:.1f} (of {} of {} tests; 100: 100 GB/s and 10^12 multiply-adds a second, used to the full), {:.0f} s\n",
                             *points, ratios.size(), tests, seconds);
}

SuiteReport run_suite(firefinch::Engine &engine, const WorkOptions &work, double seconds, Terminal &terminal) {
    SuiteReport suite;
    const auto start = Clock::now();
    terminal.note("roofline: reading memory, multiplying and adding");
    const ff_roofline roofline = engine.measure();
    std::vector<SuitePart> parts;
    for (const SuiteModel &model : kModels) {
        if (model.counts) suite.tests += kScoredTests;
        const BenchJob job = job_of(model, work);
        const auto checkpoint = std::make_shared<firefinch::Checkpoint>(open_model_or_shape(job.work, job.shape));
        const std::string name = fmt::format("{} {}", job.model_name(), model.weights);
        parts.push_back({.name = name,
                         .small = !model.counts, // a report without a run says nothing
                         .estimate = [=](const SuiteSize &size) { return estimate(*checkpoint, roofline, size); },
                         .run = [=, &engine, &terminal, &suite](const SuiteSize &size) {
                             terminal.note(name);
                             return run_model(engine, *checkpoint, job, size, model.counts, terminal, suite);
                         }});
    }
    suite.walk = walk_suite(parts, seconds, [&] { return seconds_since(start); });
    suite.seconds = seconds_since(start);
    return suite;
}

} // namespace program
