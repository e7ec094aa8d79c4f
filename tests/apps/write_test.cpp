// convert, quantize and --lora: files that come out of the program, and what it makes of them.
#include "model_file.h"
#include "process.h"

#include <chrono>
#include <csignal>
#include <filesystem>
#include <thread>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace test;
using Json = nlohmann::json;

namespace {

std::string done(const Arguments &arguments) {
    const Outcome outcome = run(arguments);
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    return outcome.out;
}

std::string greedy(Arguments more) {
    Arguments arguments = {"generate", "--temp", "0", "-n", "24", "--tokens", "0 82 79 77 69 79 58 10"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_on_device(arguments);
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    return outcome.out;
}

double bits_per_byte(const std::string &model, const std::string &text) {
    const Outcome outcome = run_on_device({"perplexity", "-m", model, "-f", text, "--json"});
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    return Json::parse(outcome.out)["bits_per_byte"];
}

void check_refused(const Arguments &arguments, int status, const std::string &says) {
    const Outcome outcome = run(arguments);
    CAPTURE(outcome.err);
    CHECK(outcome.status == status);
    CHECK(outcome.out.empty());
    CHECK(outcome.err.find(says) != std::string::npos);
}

// Rank 2, for blocks.1.ffn.key.weight [768, 256]; `size` scales what it adds.
std::string adapter(float size) {
    std::vector<float> down(2 * 256), up(768 * 2);
    for (std::size_t i = 0; i < down.size(); ++i) down[i] = static_cast<float>(i % 7) - 3.0f;
    for (std::size_t i = 0; i < up.size(); ++i) up[i] = size * (static_cast<float>(i % 5) - 2.0f);
    return safetensors_bytes({{"blocks.1.ffn.key.lora_A", f32_tensor({2, 256}, down)},
                              {"blocks.1.ffn.key.lora_B", f32_tensor({768, 2}, up)}});
}

} // namespace

TEST_CASE("apps convert: every value survives, and bytes where the container has the type") {
    const Folder folder;
    const std::string same = folder.path("same.safetensors"), gguf = folder.path("model.gguf"),
                      back = folder.path("back.safetensors");
    const Json report = Json::parse(done({"convert", FIREFINCH_DEMO_FILE, gguf, "--json"}));
    CHECK(report["schema"] == "firefinch-convert/1");
    CHECK(report["bytes"] == std::filesystem::file_size(gguf));
    CHECK(report["vocabulary"] == "bytes");
    done({"convert", FIREFINCH_DEMO_FILE, same});
    done({"convert", gguf, back});
    const auto original = read_safetensors(FIREFINCH_DEMO_FILE), once = read_safetensors(same),
               twice = read_safetensors(back);
    REQUIRE(once.size() == original.size());
    REQUIRE(twice.size() == original.size());
    for (const auto &[name, tensor] : original) {
        CAPTURE(name);
        CHECK(once.at(name).dtype == tensor.dtype);
        CHECK(once.at(name).bytes == tensor.bytes);
        CHECK(twice.at(name).shape == tensor.shape);
        CHECK(twice.at(name).values() == tensor.values()); // GGUF has vectors as f32
        if (twice.at(name).dtype == tensor.dtype) CHECK(twice.at(name).bytes == tensor.bytes);
    }
    CHECK(greedy({"-m", gguf}) == greedy({}));
    CHECK(done({"tokenize", "-m", gguf, "-p", "ab"}) == "97 98\n"); // the vocabulary went along
}

TEST_CASE("apps quantize: the file is as large as a dry run says, and still a good model") {
    const Folder folder;
    const std::string small = folder.path("small.gguf"), text = folder.write("text", "ROMEO:\nWhat light is this?\n");
    const Arguments arguments = {"quantize", FIREFINCH_DEMO_FILE, small, "--type", "q8_0", "--json"};
    Arguments dry = arguments;
    dry.emplace_back("--dry-run");
    const Json planned = Json::parse(done(dry));
    CHECK(!std::filesystem::exists(small));
    const Json written = Json::parse(done(arguments));
    CHECK(written["schema"] == "firefinch-quantize/1");
    CHECK(planned["dry_run"] == true);
    CHECK(planned["bytes"] == written["bytes"]);
    CHECK(planned["types"] == written["types"]);
    CHECK(written["bytes"] == std::filesystem::file_size(small));
    const Json inspected = Json::parse(done({"inspect", small, "--json"}));
    CHECK(inspected["bytes_by_dtype"].contains("q8_0"));
    const double before = bits_per_byte(FIREFINCH_DEMO_FILE, text);
    CHECK(bits_per_byte(small, text) == doctest::Approx(before).epsilon(0.02));
}

TEST_CASE("apps quantize: exceptions by pattern, and what does not divide into blocks is named") {
    const Folder folder;
    const std::string out = folder.path("mixed.gguf");
    const std::string text = done({"quantize", FIREFINCH_DEMO_FILE, out, "--type", "q4_0", "--tensor-type",
                                   "blocks.*.att.key.weight=q8_0", "--dry-run"});
    CHECK(text.find("q8_0          4 tensors") != std::string::npos);
    CHECK(text.find("would have") != std::string::npos);
    check_refused({"quantize", FIREFINCH_DEMO_FILE, out, "--type", "q4_0", "--tensor-type", "nothing.*=q8_0"}, 1,
                  "nothing.*");
}

TEST_CASE("apps write: what cannot be is refused, and inputs are not overwritten") {
    const Folder folder;
    const std::string copy = folder.write("copy.gguf", read(FIREFINCH_DEMO_FILE)); // told by content
    check_refused({"quantize", copy, copy, "--type", "q8_0"}, 1, "not overwritten");
    check_refused({"convert", FIREFINCH_DEMO_FILE, copy, "--lora", copy + ":2"}, 1, "not overwritten");
    CHECK(read(copy) == read(FIREFINCH_DEMO_FILE));
    check_refused({"convert", FIREFINCH_DEMO_FILE, folder.path("model.bin")}, 2, ".safetensors");
    check_refused({"quantize", FIREFINCH_DEMO_FILE, folder.path("model.safetensors"), "--type", "q8_0"}, 2, ".gguf");
    check_refused({"quantize", FIREFINCH_DEMO_FILE, folder.path("x.gguf")}, 2, "--type");
    check_refused({"quantize", FIREFINCH_DEMO_FILE, folder.path("x.gguf"), "--type", "f8"}, 2, "q8_0");
    check_refused({"quantize", FIREFINCH_DEMO_FILE, folder.path("x.gguf"), "--type", "q8_0", "--tensor-type", "a"}, 2,
                  "PATTERN=T");
    check_refused({"convert", folder.path("missing"), folder.path("x.gguf")}, 1, folder.path("missing"));
    const std::string nowhere = folder.path("missing/x.gguf");
    check_refused({"convert", FIREFINCH_DEMO_FILE, nowhere}, 1, nowhere);
}

TEST_CASE("apps quantize: Ctrl-C leaves nothing behind") {
    const Folder folder;
    const std::string out = folder.path("small.gguf");
    Process process({"quantize", FIREFINCH_DEMO_FILE, out, "--type", "q4_k"}, {});
    for (int i = 0; i < 5000 && std::filesystem::is_empty(std::filesystem::path(out).parent_path()); ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    process.send(SIGINT);
    const Outcome outcome = process.wait();
    const bool finished = outcome.status == 0; // it may have been faster
    CHECK((finished || outcome.status == 130));
    CHECK(std::filesystem::exists(out) == finished);
    const auto entries = std::filesystem::directory_iterator(std::filesystem::path(out).parent_path());
    CHECK(std::distance(begin(entries), end(entries)) == (finished ? 1 : 0));
}

TEST_CASE("apps lora: an adapter is merged while the model is read, times alpha / rank") {
    const Folder folder;
    const std::string none = folder.write("none:1.safetensors", adapter(0.0f)), // a path may hold a colon
        some = folder.write("some.safetensors", adapter(0.05f)),
                      twice = folder.write("twice.safetensors", adapter(0.1f));
    const std::string plain = greedy({}), changed = greedy({"--lora", some});
    CHECK(greedy({"--lora", none}) == plain);
    CHECK(greedy({"--lora", some + ":0"}) == plain);
    CHECK(changed != plain);
    CHECK(greedy({"--lora", some + ":2"}) == changed); // rank 2
    CHECK(greedy({"--lora", some + ":4"}) == greedy({"--lora", twice}));
    const std::string merged = folder.path("merged.safetensors");
    done({"convert", FIREFINCH_DEMO_FILE, merged, "--lora", some});
    CHECK(greedy({"-m", merged}) == changed);
    check_refused({"generate", "--lora", folder.path("missing:3")}, 1, folder.path("missing"));
    check_refused({"generate", "--lora", folder.write("noise", "noise")}, 1, "noise");
}
