#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tavern {

struct Options {
    std::string model;                   // empty: the embedded demo model
    std::uint64_t budget_us = 4000;      // of inference a frame
    std::optional<std::uint64_t> frames; // then it ends; without: when the window is closed
    std::string screenshot, log;
    std::string memories = "."; // folder of the characters' memories
    std::string device, font;
    int width = 1280, height = 720;
    bool validate = false;
};

// Nothing: the program ends with `status`.
std::optional<Options> parse(int argc, char **argv, int &status);

} // namespace tavern
