// devices, inspect, logits, tokenize and the program's own words.
#include "demo_model.h"
#include "process.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace test;
using Json = nlohmann::json;

namespace {

Outcome done(const Outcome &outcome) {
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    return outcome;
}

std::vector<float> floats(const std::string &bytes) {
    std::vector<float> values(bytes.size() / sizeof(float));
    std::memcpy(values.data(), bytes.data(), values.size() * sizeof(float));
    return values;
}

} // namespace

TEST_CASE("apps: the embedded demo model is the file, byte for byte") {
    const std::string file = read(FIREFINCH_DEMO_FILE);
    REQUIRE(program::demo_model().size() == file.size());
    CHECK(std::memcmp(program::demo_model().data(), file.data(), file.size()) == 0);
    CHECK(reinterpret_cast<std::uintptr_t>(program::demo_model().data()) % 64 == 0);
}

TEST_CASE("apps: --version and --help") {
    const std::string version = done(run({"--version"})).out;
    CHECK(version.rfind("firefinch ", 0) == 0);
    CHECK(std::count(version.begin(), version.end(), '\n') == 1);
    for (const std::string command :
         {"devices", "inspect", "chat", "generate", "logits", "perplexity", "tokenize", "convert", "quantize"}) {
        CAPTURE(command);
        CHECK(done(run({command, "--help"})).out.find("Examples:") != std::string::npos);
    }
}

TEST_CASE("apps devices: one default, and JSON that names it") {
    const Json json = Json::parse(done(run_on_device({"devices", "--json"})).out);
    CHECK(json["schema"] == "firefinch-devices/1");
    REQUIRE(!json["devices"].empty());
    std::size_t defaults = 0;
    for (const Json &device : json["devices"]) {
        defaults += device["default"] == true ? 1U : 0U;
        CHECK(device["uuid"].get<std::string>().size() == 32);
        CHECK(!device["traits"].empty());
        CHECK(!device["variants"].empty());
        CHECK(device["block_variants"]["project_add"].get<std::string>().starts_with("q4_k_"));
    }
    CHECK(defaults == 1);
    CHECK(json["devices"][json["default"].get<std::size_t>()]["default"] == true);
    CHECK(!done(run_on_device({"devices"})).out.empty());
}

TEST_CASE("apps devices: --profiles") {
    const Json json = Json::parse(done(run({"devices", "--profiles", "--json"})).out);
    std::vector<std::string> names;
    for (const Json &profile : json["profiles"]) names.push_back(profile["name"]);
    CHECK(std::count(names.begin(), names.end(), "native") == 1);
    CHECK(std::count(names.begin(), names.end(), "floor") == 1);
    // Captured devices say what would run there, and why.
    const auto find = [&](const char *name) {
        return *std::find_if(json["profiles"].begin(), json["profiles"].end(),
                             [&](const Json &profile) { return profile["name"] == name; });
    };
    CHECK_FALSE(find("floor").contains("traits"));
    const Json radeon = find("radv-navi31"), pi = find("v3d-42");
    CHECK(radeon["variants"]["matmul"] == "f16_coopmat");
    CHECK(radeon["reasons"]["matmul"] == "cooperative matrices 16x16x16, subgroups of 32");
    CHECK(radeon["block_variants"]["head"] == "q4_k_dot");
    CHECK(radeon["block_reasons"]["head"] == "dot products of four bytes in one instruction, subgroups of 32 to 64");
    CHECK_FALSE(radeon["block_variants"].contains("wkv7")); // reads no block formats
    CHECK(find("anv-skl")["block_variants"]["mix_project"] == "q4_k_subgroup");
    CHECK(radeon["traits"]["max_workgroup_invocations"] == 1024);
    CHECK(pi["variants"]["mix_project"] == "f16_floor");
    CHECK(pi["reasons"]["mix_project"] == "no subgroup arithmetic");
    CHECK(pi["reasons"]["embed"] == "needs no feature");
    const std::string text = done(run({"devices", "--profiles"})).out;
    CHECK(text.find("cooperative matrices 16x16x16, subgroups of 32: matmul:f16_coopmat matmul:q4_k_coopmat\n") != std::string::npos);
}

TEST_CASE("apps devices: a captured profile says what it cannot show here") {
    const Json json = Json::parse(done(run({"devices", "--json", "--profile", "radv-navi31"})).out);
    const Json &device = json["devices"][json["default"].get<std::size_t>()];
    if (device["driver"] == "llvmpipe") CHECK(device["lacking"].get<std::string>().find("16x16x16") != std::string::npos);
    CHECK(device["traits"]["max_workgroup_invocations"].get<int>() <= 1024);
}

TEST_CASE("apps inspect: the demo model, embedded or as a file") {
    const Json json = Json::parse(done(run({"inspect", "--json", "--tensors"})).out);
    CHECK(json["version"] == "7.0");
    CHECK(json["layers"] == 4);
    CHECK(json["width"] == 256);
    CHECK(json["ffn_width"] == 768);
    CHECK(json["vocabulary"] == 256);
    CHECK(json["parameters"] == 2993920);
    CHECK(json["tokenizer"] == "bytes");
    CHECK(json["tensors"].size() == json["tensor_count"]);
    Json file = Json::parse(done(run({"inspect", FIREFINCH_DEMO_FILE, "--json", "--tensors"})).out);
    CHECK(file["model"] == FIREFINCH_DEMO_FILE);
    file["model"] = json["model"];
    CHECK(file == json);
    CHECK(done(run({"inspect"})).out.find("2,993,920") != std::string::npos);
}

TEST_CASE("apps inspect: a decode step has at most five launches a layer") {
    const Json json = Json::parse(done(run_on_device({"inspect", "--plan", "--json"})).out);
    std::map<int, int> launches;
    for (const Json &launch : json["launches"]) {
        launches[launch["layer"].get<int>()] += 1;
        for (const std::string member : {"kernel", "variant", "reads", "writes", "bytes", "barrier_before"}) {
            CAPTURE(member);
            CHECK(launch.contains(member));
        }
    }
    const int layers = json["layers"];
    for (int layer = 0; layer < layers; ++layer) {
        CAPTURE(layer);
        CHECK(launches[layer] >= 1);
        CHECK(launches[layer] <= 5);
    }
    CHECK(!done(run_on_device({"inspect", "--plan"})).out.empty());
}

TEST_CASE("apps inspect: what the weights would be kept as") {
    const Json json = Json::parse(done(run({"inspect", "--json", "--weights", "q4_k"})).out);
    CHECK(json["loaded"]["weights"] == "q4_k");
    std::size_t tensors = 0;
    for (const auto &[type, count] : json["loaded"]["tensors_by_type"].items()) tensors += count.get<std::size_t>();
    CHECK(tensors == json["tensor_count"]);
    CHECK(json["loaded"]["tensors_by_type"]["q4_k"] == 4 * 6 + 1); // six matrices a layer, and the head
    CHECK(json["loaded"]["fallbacks"].empty());
    CHECK(run({"inspect", "--weights", "q3"}).status == 2);
}

TEST_CASE("apps logits: float32 rows that depend on the chunk by rounding alone") {
    const Folder folder;
    const std::string ids = folder.write("ids", "0 82 79\n77 69 79 58 10\n");
    const std::string one = folder.path("one"), five = folder.path("five");
    done(run_on_device({"logits", "--tokens-file", ids, "--out", one, "--chunk", "1"}));
    const Json json =
        Json::parse(done(run_on_device({"logits", "--tokens-file", ids, "--out", five, "--chunk", "5", "--json"})).out);
    CHECK(json["tokens"] == 8);
    CHECK(json["vocabulary"] == 256);
    CHECK(read(one).size() == 8 * 256 * sizeof(float));
    const std::vector<float> singly = floats(read(one)), wide = floats(read(five));
    for (std::size_t i = 0; i < singly.size(); ++i) CHECK(std::fabs(singly[i] - wide[i]) < 1e-4F);

    // The best token after the last row is what a greedy generation begins with.
    std::vector<float> last(256);
    std::memcpy(last.data(), read(one).data() + 7 * 256 * sizeof(float), 256 * sizeof(float));
    const auto best = std::max_element(last.begin(), last.end()) - last.begin();
    const std::string first = done(run_on_device({"generate", "--temp", "0", "-n", "1", "--print-tokens"})).out;
    CHECK(first == std::to_string(best) + "\n");
}

TEST_CASE("apps logits: a state carries on") {
    const Folder folder;
    const std::string all = folder.path("all"), head = folder.path("head"), tail = folder.path("tail");
    const std::string state = folder.path("state");
    done(run_on_device({"logits", "--tokens-file", folder.write("a", "0 82 79 77"), "--out", all}));
    done(run_on_device({"logits", "--tokens-file", folder.write("h", "0 82"), "--out", head, "--save-state", state}));
    done(run_on_device({"logits", "--tokens-file", folder.write("t", "79 77"), "--out", tail, "--load-state", state}));
    CHECK(read(head) + read(tail) == read(all));
}

TEST_CASE("apps tokenize: any bytes come back as they were") {
    std::string bytes;
    unsigned state = 99;
    for (int i = 0; i < 5000; ++i) bytes += static_cast<char>((state = state * 1664525U + 1013904223U) >> 24U);
    const std::string ids = done(run({"tokenize"}, bytes)).out;
    CHECK(done(run({"tokenize", "--decode"}, ids)).out == bytes);
    CHECK(done(run({"tokenize", "--tokenizer", "bytes", "-p", "[a]"})).out == "91 97 93\n");
    CHECK(Json::parse(done(run({"tokenize", "--json", "-p", "ab"})).out)["tokens"] == Json({97, 98}));
}

TEST_CASE("apps: with validation layers on, nothing is found") {
    const Outcome outcome = run_on_device({"generate", "-n", "4", "--validate"});
    if (outcome.status != 0 && outcome.err.find("VK_LAYER_KHRONOS_validation") != std::string::npos) {
        MESSAGE("the validation layers are not installed: " << outcome.err);
        return;
    }
    CAPTURE(outcome.err);
    CHECK(outcome.status == 0);
}
