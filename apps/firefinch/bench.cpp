// firefinch bench: how fast a model runs on a device, beside what the device does at best.
#include "bench_report.h"
#include "commands.h"
#include "device_text.h"
#include "failure.h"
#include "files.h"
#include "host.h"
#include "open.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include <fmt/format.h>

namespace program {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

struct Options {
    WorkOptions work;
    std::string shape; // a model of random weights; "": a file, or the demo model
    BenchPlan plan;
    float cool_down = 0;
    bool kernels = false;

    std::string model_name() const {
        if (!shape.empty()) return fmt::format("{} (random weights)", shape);
        return work.demo() ? "demo" : std::filesystem::path(work.model).filename().string();
    }
};

std::string check_shape(const std::string &name) {
    const std::vector<std::string> known = firefinch::model_presets();
    if (std::find(known.begin(), known.end(), name) != known.end()) return {};
    return fmt::format("there is no model shape '{}', only {}", name, fmt::join(known, ", "));
}

void check(const Options &options) {
    if (options.plan.prefill == 0 && options.plan.decode == 0 && !options.kernels)
        throw UsageError("--prefill 0 --decode 0 leaves nothing to measure");
}

firefinch::Checkpoint open(const Options &options) {
    if (options.shape.empty()) return open_checkpoint(options.work.model, options.work.loras);
    const bool as_stored = options.work.weights == WorkOptions().weights;
    return firefinch::Checkpoint::synthetic(options.shape, as_stored ? nullptr : options.work.weights.c_str());
}

// What most bytes of the weights are kept as.
std::string weights_name(const Options &options, const firefinch::Checkpoint &checkpoint) {
    if (options.work.weights != WorkOptions().weights) return options.work.weights;
    std::map<std::string, std::uint64_t> bytes;
    for (std::size_t i = 0; i < checkpoint.tensor_count(); ++i) {
        const ff_tensor_info tensor = checkpoint.tensor(i);
        bytes[tensor.dtype] += tensor.bytes;
    }
    return std::max_element(bytes.begin(), bytes.end(),
                            [](const auto &a, const auto &b) { return a.second < b.second; })
        ->first;
}

// Nothing where the list has no such device, which another profile or driver choice can bring about.
Json traits_of(const ff_device_info &device, const DeviceOptions &options) {
    ff_device_list_options wanted = firefinch::device_list_options();
    wanted.profile = options.profile.c_str();
    const firefinch::DeviceList list(wanted);
    for (std::size_t i = 0; i < list.size(); ++i)
        if (std::string(list[i].uuid) == device.uuid && std::string(list[i].driver) == device.driver)
            return traits_json(list, i);
    return {};
}

int run(const Options &options, const Environment &environment) {
    check(options);
    const WorkOptions &work = options.work;
    BenchPlan plan = options.plan;
    plan.cool_down = static_cast<double>(options.cool_down);
    Terminal terminal(work.output.quiet, work.output.verbose, environment.colour);

    BenchReport report;
    const auto start = Clock::now();
    firefinch::Engine engine = open_engine(work.device, environment, terminal);
    const firefinch::Checkpoint checkpoint = open(options);
    {
        const bool made_so = !options.shape.empty(); // random weights need no conversion
        const firefinch::Model model =
            open_model(engine, checkpoint, made_so ? WorkOptions().weights : work.weights, terminal,
                       *std::max_element(plan.batches.begin(), plan.batches.end()) + 1);
        firefinch::Session session(model);
        first_token(session);
        report.startup.first_token_seconds = seconds_since(start);

        if (plan.prefill > 0) report.results.push_back(bench_prefill(model, session, plan, terminal));
        if (plan.decode > 0)
            for (const std::uint32_t batch : plan.batches)
                report.results.push_back(batch == 1 ? bench_decode(model, session, plan, terminal)
                                                    : bench_batch(model, batch, plan, terminal));
        report.kernels_wanted = options.kernels;
        if (options.kernels) report.kernels = bench_kernels(session, plan, terminal);
        report.statistics = model.statistics();
    }
    // Behind the work, so that the device is as warm as for it, and the buffer is not counted as the model's memory.
    report.startup.peak_host_bytes = peak_host_bytes();
    terminal.note("roofline: reading memory, multiplying and adding");
    report.roofline = engine.measure();
    if (interrupted()) throw Interrupted();

    report.model_name = options.model_name();
    report.weights = weights_name(options, checkpoint);
    report.model = checkpoint.info();
    report.device = engine.device();
    report.profile = work.device.profile;
    report.traits = traits_of(report.device, work.device);
    check_validation(engine, work.device);
    Output out;
    if (work.output.json)
        print_json(out, report.to_json());
    else
        out.write(report.to_text());
    return kDone;
}

} // namespace

Command add_bench(CLI::App &program) {
    const auto options = std::make_shared<Options>();
    BenchPlan &plan = options->plan;
    CLI::App *app = program.add_subcommand("bench", "How fast a model runs on a device, beside what the device can do");
    CLI::Option *file = add_model_option(*app, options->work.model);
    app->add_option("--model-shape", options->shape,
                    "Random weights in the shape of a published model, without a file: 7-0.4b, 7-2.9b, ...")
        ->type_name("NAME")
        ->excludes(file)
        ->check(CLI::Validator(check_shape, ""));
    add_weights_option(*app, options->work.weights);
    constexpr std::uint64_t kMostTokens = 1U << 24;
    add_whole(*app, "--prefill", plan.prefill, "Tokens of the prompt that is read; 0: none [512]", 0, kMostTokens);
    add_whole(*app, "--decode", plan.decode, "Tokens generated; 0: none [128]", 0, kMostTokens);
    constexpr std::uint32_t kMostSessions = 128;
    app->add_option("--batch", plan.batches, "Sessions that decode together, a test each [1]")
        ->type_name("N,N,...")
        ->delimiter(',')
        ->check(CLI::Range(1U, kMostSessions));
    add_whole(*app, "--repeat", plan.repeats, "How often each test is measured [5]", 1, 10000);
    add_real(*app, "--cool-down", options->cool_down, "Seconds of rest before each repeat [0]", 0.0F, 3600.0F)
        ->type_name("SECONDS");
    app->add_flag("--kernels", options->kernels,
                  "A row for each kernel of a decode step, timed on the device one after the other");
    add_device_options(*app, options->work.device);
    add_output_options(*app, options->work.output);
    app->footer(
        "Each test runs once for nothing, then is measured; shown are the median, the slowest and the fastest. "
        "'of roofline' is\nthe bytes a decode step must read times tokens/s over the read bandwidth measured "
        "in this run; a prompt's tokens\nshare one reading of the weights, so its figure may be above 100 %.\n\n"
        "Examples:\n"
        "  firefinch bench\n"
        "  firefinch bench -m model.pth --kernels\n"
        "  firefinch bench -m model.pth --batch 1,8,64\n"
        "  firefinch bench --model-shape 7-2.9b --weights q8_0 --cool-down 5 --json > bench.json");
    return {app, [options](const Environment &environment) { return run(*options, environment); }};
}

} // namespace program
