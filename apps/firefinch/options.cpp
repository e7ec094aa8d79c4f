#include "options.h"

#include "system.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <vector>

#include <firefinch/firefinch.hpp>
#include <fmt/format.h>

namespace program {
namespace {

std::string variable(const char *name) {
    const char *value = std::getenv(name);
    return value == nullptr ? std::string() : std::string(value);
}

std::string cache_directory() {
    if (std::getenv("FIREFINCH_CACHE_DIR") != nullptr) return variable("FIREFINCH_CACHE_DIR");
    const std::string caches = user_cache_directory();
    return caches.empty() ? caches : caches + "/firefinch";
}

std::string check_profile(const std::string &name) {
    std::vector<std::string> known;
    for (const firefinch::Named &profile : firefinch::profiles()) {
        if (profile.name == name) return {};
        known.push_back(profile.name);
    }
    return fmt::format("there is no profile '{}', only {}", name, fmt::join(known, ", "));
}

std::string check_shape(const std::string &name) {
    const std::vector<std::string> known = firefinch::model_presets();
    if (std::find(known.begin(), known.end(), name) != known.end()) return {};
    return fmt::format("there is no model shape '{}', only {}", name, fmt::join(known, ", "));
}

template <class Number>
CLI::Option *add_number(CLI::App &command, const std::string &name, Number &out, const std::string &help, Number low,
                        Number high, const std::string &range) {
    const auto parse = [&out, name, low, high, range](const std::string &text) {
        Number value{};
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool all = error == std::errc{} && end == text.data() + text.size();
        if (!all || !(value >= low && value <= high)) // written so that a NaN is refused
            throw CLI::ValidationError(name, fmt::format("'{}' is not {}", text, range));
        out = value;
    };
    return command.add_option_function<std::string>(name, parse, help);
}

} // namespace

Environment read_environment() {
    Environment read;
    read.device = variable("FIREFINCH_DEVICE");
    read.shader_directory = variable("FIREFINCH_SHADER_DIR");
    read.cache_directory = cache_directory();
    read.ignore_deny_list = variable("FIREFINCH_DENY_LIST") == "off";
    read.no_first_test = variable("FIREFINCH_SELF_TEST") == "off";
    read.ignore_tuning = variable("FIREFINCH_TUNING") == "off";
    read.colour = variable("NO_COLOR").empty() && variable("TERM") != "dumb";
    return read;
}

void add_output_options(CLI::App &command, OutputOptions &out) {
    command.add_flag("--json", out.json, "The result as one JSON object on stdout, and nothing else there");
    CLI::Option *quiet = command.add_flag("-q,--quiet", out.quiet, "No notes and no progress");
    command.add_flag("-v,--verbose", out.verbose, "Notes and statistics on stderr, also where it is no terminal")
        ->excludes(quiet);
}

void add_device_selection(CLI::App &command, DeviceOptions &out, CLI::Option *needs) {
    CLI::Option *device = command.add_option("-d,--device", out.device,
                                             "Vulkan device: its number, a part of its name, or its UUID "
                                             "[best by type and memory, or FIREFINCH_DEVICE]");
    device->type_name("N|NAME|UUID");
    CLI::Option *profile = command.add_option("--profile", out.profile,
                                              "Do without device traits, see 'firefinch devices --profiles' [native]");
    profile->type_name("NAME")->check(CLI::Validator(check_profile, ""));
    for (CLI::Option *option : {device, profile})
        if (needs != nullptr) option->needs(needs);
}

CLI::Option *add_device_options(CLI::App &command, DeviceOptions &out, CLI::Option *needs) {
    add_device_selection(command, out, needs);
    CLI::Option *validate =
        command.add_flag("--validate", out.validate, "Turn the Vulkan validation layers on, and fail on any message");
    if (needs != nullptr) validate->needs(needs);
    return validate;
}

CLI::Option *add_model_option(CLI::App &command, std::string &out) {
    return command
        .add_option("-m,--model", out,
                    "Model file: .safetensors, .pth, .gguf, or rwkv.cpp's .bin [the embedded demo model]")
        ->type_name("FILE");
}

CLI::Validator weight_type() {
    std::vector<std::string> types = {"as-stored"};
    const char *name = nullptr;
    for (std::size_t i = 0; ff_weight_type(i, &name) != 0; ++i) types.emplace_back(name);
    return CLI::IsMember(types);
}

CLI::Option *add_weights_option(CLI::App &command, std::string &out) {
    return command.add_option("--weights", out, "Keep the weights as-stored, or load them as another type [as-stored]")
        ->type_name("TYPE")
        ->check(weight_type());
}

CLI::Option *add_lora_option(CLI::App &command, std::vector<Lora> &out) {
    const auto take = [&out](const std::vector<std::string> &texts) {
        out.clear();
        for (const std::string &text : texts) out.push_back(parse_lora(text));
    };
    return command
        .add_option_function<std::vector<std::string>>(
            "--lora", take,
            "Merge this LoRA adapter (.pth, .safetensors) while the model is read, times alpha / rank, without alpha "
            "times 1; may be given several times")
        ->type_name("FILE[:ALPHA]")
        ->allow_extra_args(false);
}

CLI::Option *add_tokenizer_option(CLI::App &command, std::string &out) {
    return command
        .add_option("--tokenizer", out,
                    "auto, bytes, world, 20b, or a vocabulary file [auto: what the model file says, "
                    "else by the size of its vocabulary]")
        ->type_name("KIND|FILE");
}

CLI::Option *add_whole(CLI::App &command, const std::string &name, std::uint64_t &out, const std::string &help,
                       std::uint64_t low, std::uint64_t high) {
    const bool bounded = high != std::numeric_limits<std::uint64_t>::max();
    const std::string range = bounded   ? fmt::format("a whole number from {} to {}", low, high)
                              : low > 0 ? fmt::format("a whole number, {} or more", low)
                                        : std::string("a whole number");
    return add_number(command, name, out, help, low, high, range)->type_name("N");
}

CLI::Option *add_real(CLI::App &command, const std::string &name, float &out, const std::string &help, float low,
                      float high) {
    return add_number(command, name, out, help, low, high, fmt::format("a number from {} to {}", low, high))
        ->type_name("X");
}

CLI::Option *add_shape_option(CLI::App &command, std::string &out, CLI::Option *file) {
    return command
        .add_option("--model-shape", out,
                    "Random weights in the shape of a published model, without a file: 7-0.4b, 7-2.9b, ...")
        ->type_name("NAME")
        ->excludes(file)
        ->check(CLI::Validator(check_shape, ""));
}

} // namespace program
