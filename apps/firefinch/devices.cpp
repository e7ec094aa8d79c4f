// firefinch devices: what Vulkan devices there are, and what each would run.
#include "commands.h"
#include "device_text.h"
#include "failure.h"
#include "terminal.h"

#include <algorithm>
#include <memory>

#include <fmt/format.h>

namespace program {
namespace {

struct Options {
    OutputOptions output;
    DeviceOptions device;
    bool profiles = false;
};

// The device that a profile was captured from, as if it were here; no entry for other profiles.
firefinch::DeviceList captured(const firefinch::Named &profile) {
    ff_device_list_options wanted = firefinch::device_list_options();
    wanted.profile = profile.name.c_str();
    wanted.captured = 1;
    return firefinch::DeviceList(wanted);
}

// "reason: kernel:variant kernel:variant", a line for each reason.
std::string reasons_text(const firefinch::DeviceList &list, std::size_t index) {
    std::vector<std::pair<std::string, std::string>> lines; // reason, kernels
    const std::vector<firefinch::Named> variants = list.variants(index), reasons = list.reasons(index);
    for (std::size_t i = 0; i < variants.size(); ++i) {
        auto line = std::ranges::find(lines, reasons[i].text, &std::pair<std::string, std::string>::first);
        if (line == lines.end()) line = lines.insert(lines.end(), {reasons[i].text, ""});
        line->second += fmt::format(" {}:{}", variants[i].name, variants[i].text);
    }
    std::string text;
    for (const auto &[reason, kernels] : lines) text += fmt::format("    {}:{}\n", reason, kernels);
    return text;
}

// Variants of block formats are told of one.
bool is_of_blocks(const firefinch::Named &variant) {
    return variant.text.starts_with("q4_k");
}

// The variants of a list's device and why they are chosen, for f16 weights and for a block format.
Json choices_json(const firefinch::DeviceList &list, std::size_t index) {
    Json all = {{"variants", Json::object()},
                {"reasons", Json::object()},
                {"block_variants", Json::object()},
                {"block_reasons", Json::object()}};
    const std::vector<firefinch::Named> variants = list.variants(index), reasons = list.reasons(index);
    for (std::size_t i = 0; i < variants.size(); ++i) {
        const bool blocks = is_of_blocks(variants[i]);
        all[blocks ? "block_variants" : "variants"][variants[i].name] = variants[i].text;
        all[blocks ? "block_reasons" : "reasons"][variants[i].name] = reasons[i].text;
    }
    return all;
}

int print_profiles(const Options &options) {
    Output out;
    Json all = Json::array();
    for (const firefinch::Named &profile : firefinch::profiles()) {
        const firefinch::DeviceList list = captured(profile);
        if (options.output.json) {
            Json entry = {{"name", profile.name}, {"description", profile.text}};
            if (list.size() != 0) {
                entry["traits"] = traits_json(list, 0);
                entry.update(choices_json(list, 0));
            }
            all.push_back(std::move(entry));
            continue;
        }
        out.write(fmt::format("{:<22} {}\n", profile.name, profile.text));
        if (list.size() != 0) out.write(fmt::format("    {}\n{}", list[0].traits, reasons_text(list, 0)));
    }
    if (options.output.json) print_json(out, {{"schema", "firefinch-profiles/1"}, {"profiles", all}});
    return kDone;
}

Json to_json(const firefinch::DeviceList &list, std::size_t index, bool is_default) {
    const ff_device_info device = list[index];
    Json described = {{"index", index},
                      {"name", device.name},
                      {"driver", device.driver},
                      {"driver_info", device.driver_info},
                      {"uuid", device.uuid},
                      {"vendor_id", device.vendor_id},
                      {"device_id", device.device_id},
                      {"driver_version", device.driver_version},
                      {"api_version", api_version(device.api_version)},
                      {"type", type_name(device.type)},
                      {"memory_bytes", device.memory_bytes},
                      {"default", is_default},
                      {"traits", traits_json(list, index)},
                      {"lacking", list.lacking(index)},
                      {"denied", denied_json(list.denied(index))}};
    described.update(choices_json(list, index));
    return described;
}

std::string to_text(const firefinch::DeviceList &list, std::size_t index, bool is_default, bool verbose) {
    const ff_device_info device = list[index];
    std::string variants, blocks, traits, denied;
    for (const firefinch::Named &kernel : list.variants(index)) {
        std::string &line = is_of_blocks(kernel) ? blocks : variants;
        line += fmt::format("{}{}:{}", line.empty() ? "" : " ", kernel.name, kernel.text);
    }
    for (const firefinch::Named &variant : list.denied(index))
        denied += fmt::format("   denied    {}: {}\n", variant.name, printable(variant.text));
    if (verbose)
        for (const auto &[name, value] : list.traits(index)) traits += fmt::format("             {} {}\n", name, value);
    const std::string lacking = list.lacking(index);
    return fmt::format("{} {}: {}\n"
                       "   driver    {} {}, Vulkan {}\n"
                       "   type      {}, {}\n"
                       "   uuid      {}\n"
                       "   traits    {}\n{}"
                       "   variants  {}\n"
                       "             {}\n{}",
                       is_default ? '*' : ' ', index, device.name, device.driver, device.driver_info,
                       api_version(device.api_version), type_name(device.type), bytes_text(device.memory_bytes),
                       device.uuid, device.traits, traits, variants, blocks,
                       lacking.empty() ? denied : fmt::format("   lacks     {}\n{}", lacking, denied));
}

int run(const Options &options, const Environment &environment) {
    if (options.profiles && (!options.device.device.empty() || options.device.profile != DeviceOptions().profile))
        throw UsageError("--profiles lists what there is, whatever the device: leave out -d and --profile");
    if (options.profiles) return print_profiles(options);
    Terminal terminal(options.output.quiet, options.output.verbose, environment.colour);
    ff_device_list_options wanted = firefinch::device_list_options();
    wanted.profile = options.device.profile.c_str();
    const std::string cache = environment.ignore_deny_list ? std::string() : environment.cache_directory;
    if (!cache.empty()) wanted.cache_directory = cache.c_str();
    wanted.log = Terminal::log_callback;
    wanted.log_payload = &terminal;
    const firefinch::DeviceList list(wanted);
    if (list.size() == 0) throw Failure("no Vulkan device found; is a Vulkan driver installed?");
    const std::string &selector = options.device.device.empty() ? environment.device : options.device.device;
    const std::size_t chosen = list.choose(selector.empty() ? nullptr : selector.c_str());

    Output out;
    if (options.output.json) {
        Json devices = Json::array();
        for (std::size_t i = 0; i < list.size(); ++i) devices.push_back(to_json(list, i, i == chosen));
        print_json(out, {{"schema", "firefinch-devices/1"},
                         {"profile", options.device.profile},
                         {"default", chosen},
                         {"devices", devices}});
        return kDone;
    }
    for (std::size_t i = 0; i < list.size(); ++i) out.write(to_text(list, i, i == chosen, options.output.verbose));
    out.write("* is used by default\n");
    return kDone;
}

} // namespace

Command add_devices(CLI::App &program) {
    const auto options = std::make_shared<Options>();
    CLI::App *app = program.add_subcommand("devices", "Vulkan devices with their driver, type, memory, traits and the "
                                                      "kernel variants chosen for f16 weights and for a block format");
    app->add_flag("--profiles", options->profiles, "List the profiles that --profile takes, and what would run on the devices "
                                                      "that they were captured from");
    add_device_selection(*app, options->device);
    add_output_options(*app, options->output);
    app->footer("Examples:\n"
                "  firefinch devices\n"
                "  firefinch devices -d intel            which device -d intel would take\n"
                "  firefinch devices --profile floor     what is left of them without optional features\n"
                "  firefinch devices --json -v");
    return {app, [options](const Environment &environment) { return run(*options, environment); }};
}

} // namespace program
