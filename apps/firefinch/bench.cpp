// firefinch bench: how fast a model runs on a device, beside what the device does at best.
#include "bench_model.h"
#include "bench_suite.h"
#include "commands.h"
#include "failure.h"
#include "files.h"

#include <chrono>
#include <memory>

#include <fmt/format.h>

namespace program {
namespace {

struct Options {
    BenchJob job;
    float cool_down = 0, suite_seconds = kSuiteSeconds;
    std::string suite; // "standard"; "": one model
    const CLI::Option *batch = nullptr;
};

void check(const Options &options) {
    if (options.job.plan.prefill == 0 && options.job.plan.decode == 0 && !options.job.kernels)
        throw UsageError("--prefill 0 --decode 0 leaves nothing to measure");
    if (options.job.plan.decode == 0 && options.batch->count() > 0)
        throw UsageError("--batch is of sessions that decode, and --decode 0 measures none");
}

int run(const Options &options, const Environment &environment) {
    check(options);
    BenchJob job = options.job;
    const WorkOptions &work = job.work;
    job.plan.cool_down = static_cast<double>(options.cool_down);
    Terminal terminal(work.output.quiet, work.output.verbose, environment.colour);
    const auto start = std::chrono::steady_clock::now();
    firefinch::Engine engine = open_engine(work.device, environment, terminal);
    Output out;
    if (!options.suite.empty()) {
        const SuiteReport suite = run_suite(engine, work, static_cast<double>(options.suite_seconds), terminal);
        check_validation(engine, work.device);
        if (work.output.json)
            print_json(out, suite.to_json());
        else
            out.write(suite.to_text());
        if (!suite.walk.device_lost.empty()) throw Failure(suite.walk.device_lost);
        if (suite.runs.empty()) throw Failure(fmt::format("nothing of the suite could be run: {}", suite.walk.cut.front()));
        return kDone;
    }
    const firefinch::Checkpoint checkpoint = open_model_or_shape(work, job.shape);
    const BenchReport report = bench_model(engine, checkpoint, job, start, terminal);
    check_validation(engine, work.device);
    if (work.output.json)
        print_json(out, report.to_json());
    else
        out.write(report.to_text());
    return kDone;
}

} // namespace

Command add_bench(CLI::App &program) {
    const auto options = std::make_shared<Options>();
    BenchJob &job = options->job;
    BenchPlan &plan = job.plan;
    CLI::App *app = program.add_subcommand("bench", "How fast a model runs on a device, beside what the device can do");
    CLI::Option *file = add_model_option(*app, job.work.model);
    CLI::Option *shape = add_shape_option(*app, job.shape, file);
    CLI::Option *suite = app->add_option("--suite", options->suite,
                                         "The run to share: the demo model and four shapes, in three minutes: standard")
                             ->type_name("NAME")
                             ->check(CLI::IsMember({"standard"}))
                             ->excludes(file)
                             ->excludes(shape);
    suite->excludes(add_weights_option(*app, job.work.weights));
    add_real(*app, "--seconds", options->suite_seconds, "What --suite may take; what does not fit is cut down or left out [160]", 10.0F,
             86400.0F)
        ->type_name("SECONDS")
        ->needs(suite);
    constexpr std::uint64_t kMostTokens = 1U << 24;
    suite->excludes(add_whole(*app, "--prefill", plan.prefill, "Tokens of the prompt that is read; 0: none [512]", 0, kMostTokens));
    suite->excludes(add_whole(*app, "--decode", plan.decode, "Tokens generated; 0: none [128]", 0, kMostTokens));
    constexpr std::uint32_t kMostSessions = 128;
    CLI::Option *batch = app->add_option("--batch", plan.batches, "Sessions that decode together, a test each [1]")
                             ->type_name("N,N,...")
                             ->delimiter(',')
                             ->check(CLI::Range(1U, kMostSessions))
                             ->excludes(suite);
    options->batch = batch;
    suite->excludes(add_whole(*app, "--repeat", plan.repeats, "How often each test is measured [5]", 1, 10000));
    suite->excludes(add_real(*app, "--cool-down", options->cool_down, "Seconds of rest before each repeat [0]", 0.0F, 3600.0F)
                        ->type_name("SECONDS"));
    suite->excludes(app->add_flag("--kernels", job.kernels,
                                  "A row for each kernel of a decode step, timed on the device one after the other"));
    add_device_options(*app, job.work.device);
    add_output_options(*app, job.work.output);
    app->footer(
        "Each test runs once for nothing, then is measured; shown are the median, the slowest and the fastest. "
        "'of roofline' is\nthe bytes a decode step must read times tokens/s over the read bandwidth measured "
        "in this run; a prompt's tokens\nshare one reading of the weights, so its figure may be above 100 %.\n\n"
        "Examples:\n"
        "  firefinch bench\n"
        "  firefinch bench -m model.pth --kernels\n"
        "  firefinch bench -m model.pth --batch 1,8,64\n"
        "  firefinch bench --suite standard --json > suite.json\n"
        "  firefinch bench --model-shape 7-2.9b --weights q8_0 --cool-down 5 --json > bench.json");
    return {app, [options](const Environment &environment) { return run(*options, environment); }};
}

} // namespace program
