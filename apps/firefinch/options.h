// The options that mean the same in every command that has them, and the environment.
#pragma once

#include "lora.h"

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>

namespace program {

// Everything the program takes from its environment, read once at its start; docs/cli.md lists the variables.
struct Environment {
    std::string device;           // FIREFINCH_DEVICE
    std::string shader_directory; // FIREFINCH_SHADER_DIR
    std::string cache_directory;  // FIREFINCH_CACHE_DIR, or firefinch in the user's cache folder; "": no cache
    bool ignore_deny_list = false; // FIREFINCH_DENY_LIST=off
    bool no_first_test = false;    // FIREFINCH_SELF_TEST=off
    bool ignore_tuning = false;    // FIREFINCH_TUNING=off
    bool colour = true;           // NO_COLOR, TERM
};
Environment read_environment();

struct OutputOptions {
    bool json = false, quiet = false, verbose = false;
};
void add_output_options(CLI::App &command, OutputOptions &out);

struct DeviceOptions {
    std::string device, profile = "native";
    bool validate = false;
};
// A command that uses a device only sometimes lets the options depend on what makes it do so.
// Returns --validate.
CLI::Option *add_device_options(CLI::App &command, DeviceOptions &out, CLI::Option *needs = nullptr);
void add_device_selection(CLI::App &command, DeviceOptions &out, CLI::Option *needs = nullptr); // without --validate

CLI::Option *add_model_option(CLI::App &command, std::string &out);
CLI::Option *add_weights_option(CLI::App &command, std::string &out);
// Of ff_model_preset; not together with `file`.
CLI::Option *add_shape_option(CLI::App &command, std::string &out, CLI::Option *file);
// A type of ff_weight_type, or "as-stored".
CLI::Validator weight_type();
CLI::Option *add_lora_option(CLI::App &command, std::vector<Lora> &out);
CLI::Option *add_tokenizer_option(CLI::App &command, std::string &out);

// Decimal numbers only, and all of them: CLI11 by itself would take 010 for eight and -1 for 2^64-1.
CLI::Option *add_whole(CLI::App &command, const std::string &name, std::uint64_t &out, const std::string &help,
                       std::uint64_t low = 0, std::uint64_t high = std::numeric_limits<std::uint64_t>::max());
CLI::Option *add_real(CLI::App &command, const std::string &name, float &out, const std::string &help, float low,
                      float high);

} // namespace program
