// The small RWKV-7 model that is part of the program; apps/firefinch/demo-model/README.md says what it is.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>

namespace program {

constexpr const char *kDemoName = "the embedded demo model";
// Its text was trained in speeches, each begun by a name on a line of its own.
constexpr std::string_view kDemoPrompt = "ROMEO:\n";
// Separates documents in its training text: fed once before a prompt.
constexpr unsigned kDemoFirstToken = 0;
constexpr float kDemoTemperature = 0.8f, kDemoTopP = 0.9f;

// A safetensors file, aligned to 64 bytes.
std::span<const std::byte> demo_model();

} // namespace program
