#include "options.h"

#include <CLI/CLI.hpp>

namespace tavern {

std::optional<Options> parse(int argc, char **argv, int &status) {
    Options options;
    std::uint64_t frames = 0;
    std::string size;
    CLI::App app(
        "Three characters talk in a tavern while it is drawn: firefinch on a program's own Vulkan device, a slice "
        "of inference a frame.");
    app.add_option("-m,--model", options.model, "model file; default: the embedded demo model");
    app.add_option("--budget-us", options.budget_us, "microseconds of inference a frame")->capture_default_str();
    CLI::Option *const limit =
        app.add_option("--frames", frames, "end after so many frames; the first quarter is without inference")
            ->check(CLI::PositiveNumber);
    app.add_option("--screenshot", options.screenshot, "write the last frame as PNG")->needs(limit);
    app.add_option("--log", options.log, "write the time of every frame as CSV");
    app.add_option("--memories", options.memories, "folder for what characters remember")->capture_default_str();
    app.add_option("-d,--device", options.device, "part of a Vulkan device's name");
    app.add_option("--font", options.font, "a TrueType file for the text");
    app.add_option("--size", size, "of the window, WIDTHxHEIGHT; default: 1280x720");
    app.add_flag("--validate", options.validate, "Vulkan validation; fail on any message");
    try {
        app.parse(argc, argv);
        if (!size.empty() &&
            (std::sscanf(size.c_str(), "%dx%d", &options.width, &options.height) != 2 || options.width < 64 ||
             options.height < 64 || options.width > 8192 || options.height > 8192))
            throw CLI::ValidationError("--size", "expected WIDTHxHEIGHT of 64 to 8192, found " + size);
    } catch (const CLI::ParseError &error) {
        status = app.exit(error) == 0 ? 0 : 2;
        return std::nullopt;
    }
    if (*limit) options.frames = frames;
    return options;
}

} // namespace tavern
