// Files beside the checkout (models, golden results) that a machine may lack.
#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

namespace ff::test {

// `name` is relative to the shared folder: "models/synth-7.safetensors".
std::optional<std::filesystem::path> shared_file(std::string_view name);
// A file of the checkout itself: always there.
std::filesystem::path source_file(std::string_view name);

std::string read_text(const std::filesystem::path &path);
std::vector<float> read_floats(const std::filesystem::path &path); // little-endian float32

} // namespace ff::test

// FF_SHARED_FILE(path, "models/x.pth"): declares `path`, or leaves the test with a message that says what it lacked.
#define FF_SHARED_FILE(variable, name)                                                                                 \
    const auto variable##_found_ = ::ff::test::shared_file(name);                                                      \
    if (!variable##_found_) {                                                                                          \
        MESSAGE("SKIPPED: no file " << (name) << " in the shared folder");                                             \
        return;                                                                                                        \
    }                                                                                                                  \
    const std::filesystem::path variable = *variable##_found_
