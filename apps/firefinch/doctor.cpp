// firefinch doctor: whether this device computes rightly, and what must not be used on it if not.
#include "commands.h"
#include "device_text.h"
#include "doctor_report.h"
#include "failure.h"
#include "open.h"

#include <chrono>
#include <memory>

#include <fmt/format.h>

namespace program {
namespace {

constexpr float kSoakSeconds = 60, kQuickSeconds = 1;

struct Options {
    OutputOptions output;
    DeviceOptions device;
    float soak = kSoakSeconds;
    bool quick = false, no_validation = false;
    std::string out;
};

// With the validation layers if they are there; with --validate they must be.
firefinch::Engine open_watched(const Options &options, const Environment &environment, Terminal &terminal,
                               std::string &no_validation) {
    DeviceOptions device = options.device;
    no_validation = options.no_validation ? "--no-validation" : "";
    device.validate = !options.no_validation;
    try {
        return open_engine(device, environment, terminal);
    } catch (const firefinch::Error &error) {
        if (!device.validate || options.device.validate || error.status() != FF_ERROR_UNSUPPORTED) throw;
        no_validation = error.what();
        device.validate = false;
        return open_engine(device, environment, terminal);
    }
}

void write_report(const std::string &path, const Json &json) {
    const std::string text = json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
    OutputFile file(path);
    file.write(text.data(), text.size());
    file.commit();
}

int run(const Options &options, const Environment &given) {
    const auto start = std::chrono::steady_clock::now();
    Terminal terminal(options.output.quiet, options.output.verbose, given.colour);
    Environment environment = given;
    environment.no_first_test = true; // this is it

    if (!options.out.empty()) OutputFile(options.out); // fails now, not after minutes
    DoctorReport report;
    report.quick = options.quick;
    firefinch::Engine engine = open_watched(options, environment, terminal, report.no_validation);
    ff_self_test_options wanted = firefinch::self_test_options();
    wanted.seconds = options.quick ? static_cast<double>(kQuickSeconds) : 0;
    wanted.limits = options.quick ? 0 : 1;
    wanted.progress = Terminal::progress_callback;
    wanted.progress_payload = &terminal;
    const firefinch::SelfTest test(engine, wanted);
    terminal.end_progress();
    report.test = &test;
    report.cache_directory = environment.cache_directory;
    try {
        if (!environment.cache_directory.empty()) report.denied = test.deny(engine);
    } catch (const firefinch::Error &error) {
        report.deny_failure = error.what();
    }
    report.device = engine.device();
    report.profile = options.device.profile;
    report.traits = traits_of(report.device, options.device.profile);

    const auto save = [&] {
        report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
        if (!options.out.empty()) write_report(options.out, report.to_json());
    };
    save(); // the soak may take the device down, and this process with it

    // As the device will be used: with the deny list, without validation.
    DeviceOptions as_used = options.device;
    as_used.validate = false;
    try {
        if (options.soak > 0) report.soak = soak(open_engine(as_used, environment, terminal), static_cast<double>(options.soak), terminal);
    } catch (const firefinch::Error &error) {
        if (!interrupted()) report.soak_failure = error.what();
    } catch (const Interrupted &) { // only the soak is lost
    }
    save();
    Output out;
    if (options.output.json)
        print_json(out, report.to_json());
    else
        out.write(report.to_text(options.output.verbose));
    if (interrupted()) throw Interrupted();
    return report.passed() ? kDone : kFailed;
}

} // namespace

Command add_doctor(CLI::App &program) {
    const auto options = std::make_shared<Options>();
    CLI::App *app = program.add_subcommand("doctor", "Whether this device computes rightly: every kernel against float64");
    CLI::Option *seconds =
        add_real(*app, "--seconds", options->soak, "Length of the soak, the demo model again and again; 0: none [60, with --quick 0]",
                 0.0F, 86400.0F)
            ->type_name("SECONDS");
    app->add_flag("--quick", options->quick, "A second's worth of the most used kernels, and no limits");
    app->add_option("--out", options->out, "Write the JSON report here as well")->type_name("FILE");
    CLI::Option *without =
        app->add_flag("--no-validation", options->no_validation, "Leave the Vulkan validation layers out even where they are installed");
    add_device_options(*app, options->device)->excludes(without);
    add_output_options(*app, options->output);
    app->footer("Kernel variants that fail go on a deny list in the cache folder and are not used from then on; what is tested "
                "again and\npasses leaves it. Exit status 1 if anything fails.\n\n"
                "Examples:\n"
                "  firefinch doctor\n"
                "  firefinch doctor --quick\n"
                "  firefinch doctor -d 1 --seconds 600 --out doctor.json");
    return {app, [options, seconds](const Environment &environment) {
                Options wanted = *options;
                if (wanted.quick && seconds->count() == 0) wanted.soak = 0;
                return run(wanted, environment);
            }};
}

} // namespace program
