// firefinch tune: the numbers that a model's kernels run best with on this device, measured and kept.
#include "commands.h"
#include "device_text.h"
#include "failure.h"
#include "open.h"

#include <memory>

#include <fmt/format.h>

namespace program {
namespace {

struct Options {
    WorkOptions work;
    std::string shape;
    bool reset = false;
};

std::string speed_of(const ff_tuning_result &result) {
    if (result.better == 0) return "-";
    return fmt::format("{:+.1f} %", (result.microseconds_before / result.microseconds_after - 1) * 100);
}

std::string to_text(const firefinch::Tuning &tuning) {
    std::string out = fmt::format("{:<52}{:>11}{:>11}{:>12}{:>12}{:>10}\n", "kernel and shape", "table", "best", "us before",
                                  "us after", "kept");
    std::string troubles;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < tuning.size(); ++i) {
        const ff_tuning_result result = tuning[i];
        kept += result.better != 0;
        out += fmt::format("{:<52}{:>11}{:>11}{:>12.1f}{:>12.1f}{:>10}\n", result.key, result.before, result.after,
                           result.microseconds_before, result.microseconds_after, speed_of(result));
        if (*result.trouble != '\0')
            troubles += fmt::format("\nWRONG  {} with {}: {}. It is not kept.\n", result.key, result.after, result.trouble);
    }
    return out + troubles + fmt::format("\n{} of {} are better than the table beyond noise and kept for this device and driver{}.\n", kept,
                             tuning.size(),
                             tuning.by_timestamps() ? "" : "; measured by whole steps, since the device has no timestamps");
}

Json to_json(const firefinch::Tuning &tuning) {
    Json all = Json::array();
    for (std::size_t i = 0; i < tuning.size(); ++i) {
        const ff_tuning_result result = tuning[i];
        all.push_back({{"key", result.key},
                       {"table", result.before},
                       {"best", result.after},
                       {"microseconds_table", result.microseconds_before},
                       {"microseconds_best", result.microseconds_after},
                       {"candidates", result.candidates},
                       {"kept", result.better != 0},
                       {"trouble", or_null(result.trouble)}});
    }
    return all;
}

int reset(firefinch::Engine &engine, const Options &options) {
    const std::size_t forgotten = firefinch::Tuning::forget(engine);
    Output out;
    if (options.work.output.json)
        print_json(out, {{"schema", "firefinch-tune/1"}, {"forgotten", forgotten}});
    else
        out.write(fmt::format("{} tuned values of this device and driver are forgotten.\n", forgotten));
    return kDone;
}

int run(const Options &options, const Environment &environment) {
    Terminal terminal(options.work.output.quiet, options.work.output.verbose, environment.colour);
    if (environment.cache_directory.empty())
        throw Failure("there is no cache folder to keep tuned values in: set FIREFINCH_CACHE_DIR");
    firefinch::Engine engine = open_engine(options.work.device, environment, terminal);
    if (options.reset) return reset(engine, options);
    const firefinch::Checkpoint checkpoint = open_model_or_shape(options.work, options.shape);
    ff_tuning_options wanted = firefinch::tuning_options();
    if (options.shape.empty()) wanted.weights = options.work.weights.c_str(); // random ones are made so
    wanted.progress = Terminal::progress_callback;
    wanted.progress_payload = &terminal;
    const firefinch::Tuning tuning(engine, checkpoint, wanted);
    terminal.end_progress();
    check_validation(engine, options.work.device);
    Output out;
    if (options.work.output.json) {
        Json json = report_json("firefinch-tune/1");
        const ff_device_info device = engine.device();
        const std::string &profile = options.work.device.profile;
        json["device"] = device_json(device, profile, traits_of(device, profile));
        json["by_timestamps"] = tuning.by_timestamps();
        json["results"] = to_json(tuning);
        print_json(out, json);
    } else {
        out.write(to_text(tuning));
    }
    return kDone;
}

} // namespace

Command add_tune(CLI::App &program) {
    const auto options = std::make_shared<Options>();
    CLI::App *app = program.add_subcommand("tune", "Measure which numbers a model's kernels run best with on this device");
    CLI::Option *file = add_model_option(*app, options->work.model);
    add_shape_option(*app, options->shape, file);
    add_weights_option(*app, options->work.weights);
    app->add_flag("--reset", options->reset, "Forget what was measured on this device with this driver");
    add_device_options(*app, options->work.device);
    add_output_options(*app, options->work.output);
    app->footer("Every kernel and shape of the model is measured with what the tuning table allows; a winner is kept, in the cache "
                "folder,\nif it is better beyond noise, twice. While nothing else uses the device, please.\n\n"
                "Examples:\n"
                "  firefinch tune -m model.pth\n"
                "  firefinch tune --model-shape 7-2.9b --weights q4_k\n"
                "  firefinch tune --reset");
    return {app, [options](const Environment &environment) { return run(*options, environment); }};
}

} // namespace program
