// LoRA adapters named on the command line.
#pragma once

#include <optional>
#include <string>

namespace program {

struct Lora {
    std::string path;
    std::optional<double> alpha;
};

// "FILE" or "FILE:ALPHA". A path may hold colons: what follows the last one is alpha only if it is a number.
Lora parse_lora(const std::string &text);

} // namespace program
