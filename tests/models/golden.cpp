#include "tests/models/golden.h"

#include "tests/support/shared_files.h"

#include <nlohmann/json.hpp>

namespace ff::test {
namespace {

Golden read(const std::string &name, const std::filesystem::path &description) {
    const auto json = nlohmann::json::parse(read_text(description));
    Golden golden;
    golden.name = name;
    golden.version = json.at("version");
    golden.vocabulary = json.at("n_vocab");
    golden.tokens = json.at("tokens").get<std::vector<std::uint32_t>>();
    golden.greedy = json.at("greedy").get<std::vector<std::uint32_t>>();
    golden.greedy_lead = json.at("greedy_lead").get<std::vector<double>>();
    const std::filesystem::path folder = description.parent_path();
    golden.logits = read_floats(folder / json.at("logits").get<std::string>());
    if (json.contains("state")) golden.state = read_floats(folder / json.at("state").get<std::string>());
    for (const auto &part : json.value("state_layout", nlohmann::json::array())) {
        std::size_t elements = 1;
        for (const std::size_t length : part.at(1)) elements *= length;
        golden.layout.push_back({part.at(0), elements});
    }
    return golden;
}

} // namespace

Golden demo_golden() {
    Golden golden = read("demo-rwkv7", source_file("tests/models/golden/demo-rwkv7.json"));
    golden.model = source_file("apps/firefinch/demo-model/demo-rwkv7.safetensors");
    return golden;
}

std::optional<Golden> shared_golden(const std::string &name, const std::string &suffix) {
    const auto description = shared_file("golden/" + name + ".json");
    const auto model = shared_file("models/" + name + suffix);
    if (!description || !model) return std::nullopt;
    Golden golden = read(name, *description);
    golden.model = *model;
    return golden;
}

} // namespace ff::test
