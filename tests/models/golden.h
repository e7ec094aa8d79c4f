// What an independent float64 implementation says about one model and one prompt.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace ff::test {

struct StatePart {
    std::string name; // as in a state file, without its "blocks.3."
    std::size_t elements;
};

struct Golden {
    std::string name, version;
    std::size_t vocabulary = 0;
    std::vector<std::uint32_t> tokens; // the prompt
    std::vector<float> logits;         // [tokens, V]
    std::vector<std::uint32_t> greedy; // what follows
    std::vector<double> greedy_lead;   // by how much each led the runner-up
    std::vector<StatePart> layout;     // of a layer; empty where no state is known
    std::vector<float> state;          // after the prompt
    std::filesystem::path model;

    std::span<const float> row(std::size_t token) const {
        return std::span(logits).subspan(token * vocabulary, vocabulary);
    }
};

// The demo model, whose files are in the checkout.
Golden demo_golden();
// golden/NAME.json of the shared folder with models/NAME + suffix; nothing where a file is missing.
std::optional<Golden> shared_golden(const std::string &name, const std::string &suffix);

// Differences in the kind of logits that models of the published sizes have.
constexpr double kRight = 1e-3; // what may not be exceeded anywhere
constexpr double kUsual = 1e-4; // what float32 reaches

} // namespace ff::test
