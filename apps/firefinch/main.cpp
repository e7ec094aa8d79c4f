// The firefinch program: parses the command line, runs one command, and turns how it ended into an exit status.
#include "commands.h"
#include "failure.h"
#include "files.h"
#include "system.h"
#include "terminal.h"

#include <cstdio>
#include <exception>
#include <new>
#include <sstream>
#include <string>

#include <CLI/CLI.hpp>
#include <firefinch/firefinch.hpp>
#include <fmt/format.h>

namespace {

using namespace program;

int fail(int status, const std::string &sentence) {
    fmt::print(stderr, "firefinch: {}\n", printable(sentence));
    return status;
}

std::string version() {
    return fmt::format("firefinch {} (commit {}, {})", ff_version(), ff_commit(), FIREFINCH_BUILD_TYPE);
}

const Command *parsed_command(const std::vector<Command> &commands) {
    for (const Command &command : commands)
        if (command.app->parsed()) return &command;
    return nullptr;
}

int run(int argc, char **argv) {
    CLI::App app("RWKV language models on any GPU with a Vulkan driver.", "firefinch");
    app.set_version_flag("--version", version(), "Print version, commit and build type");
    app.require_subcommand(1);
    app.footer("Examples:\n"
               "  firefinch generate                              a scene by the embedded demo model\n"
               "  firefinch generate -m model.pth -p 'Once upon a time' -n 200\n"
               "  firefinch chat -m model.pth\n"
               "  firefinch devices\n"
               "'firefinch COMMAND --help' shows a command's options and more examples.\n"
               "Environment: FIREFINCH_DEVICE, FIREFINCH_CACHE_DIR, FIREFINCH_SHADER_DIR, FIREFINCH_DENY_LIST,\n"
               "FIREFINCH_SELF_TEST, FIREFINCH_TUNING; see docs/cli.md.");
    const std::vector<Command> commands = {add_devices(app),  add_inspect(app),    add_chat(app),     add_generate(app),
                                           add_logits(app),   add_perplexity(app), add_tokenize(app), add_convert(app),
                                           add_quantize(app), add_bench(app),      add_report(app),
                                           add_doctor(app), add_tune(app)};
    const auto usage = [&](const std::string &sentence) {
        const Command *command = parsed_command(commands);
        return fail(kUsage, fmt::format("{}; see 'firefinch{}{} --help'", sentence, command == nullptr ? "" : " ",
                                        command == nullptr ? "" : command->app->get_name()));
    };
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError &error) {
        if (argc < 2) return usage("a command is required");
        if (parsed_command(commands) == nullptr && argv[1][0] != '-' && error.get_exit_code() != 0)
            return usage(fmt::format("there is no command '{}'", argv[1]));
        if (error.get_exit_code() != 0) return usage(error.what());
        std::ostringstream text; // --help and --version
        app.exit(error, text, text);
        Output().write(text.str());
        return kDone;
    }
    try {
        return parsed_command(commands)->run(read_environment());
    } catch (const UsageError &error) {
        return usage(error.what());
    }
}

} // namespace

int main(int argc, char **argv) {
    prepare_streams();
    install_signal_handlers();
    try {
        return run(argc, argv);
    } catch (const Interrupted &) {
        return kInterrupted;
    } catch (const firefinch::Error &error) {
        return error.status() == FF_ERROR_CANCELLED ? kInterrupted : fail(kFailed, error.what());
    } catch (const std::bad_alloc &) {
        return fail(kFailed, "out of memory");
    } catch (const std::exception &error) {
        return fail(kFailed, error.what());
    }
}
