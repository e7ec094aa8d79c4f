// The program's generate command on the device under test, with the embedded demo model.
#include "process.h"

#include <chrono>
#include <csignal>
#include <thread>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace test;
using Json = nlohmann::json;

namespace {

// One byte, one token: what the demo model's tokenizer makes of `text`.
std::string ids_of(const std::string &text) {
    std::string ids;
    for (const char byte : text) {
        if (!ids.empty()) ids += ' ';
        ids += std::to_string(static_cast<unsigned char>(byte));
    }
    return ids;
}

Outcome finished(Arguments arguments) {
    Outcome outcome = run_on_device(std::move(arguments));
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    return outcome;
}

} // namespace

TEST_CASE("apps generate: the same seed gives the same text, another one another") {
    const std::string first = finished({"generate", "--seed", "1", "-n", "80"}).out;
    CHECK(first.size() == 80); // a byte a token, and it does not end this early
    CHECK(finished({"generate", "--seed", "1", "-n", "80"}).out == first);
    CHECK(finished({"generate", "--seed", "2", "-n", "80"}).out != first);
}

TEST_CASE("apps generate: greedy text does not depend on the device's traits") {
    const Arguments greedy = {"generate", "--temp", "0", "-n", "64"};
    const std::string text = finished(greedy).out;
    CHECK(text.size() == 64);
    Arguments floor = {"generate", "--temp", "0", "-n", "64", "--profile", "floor"};
    if (const char *device = std::getenv("FIREFINCH_TEST_DEVICE")) floor.insert(floor.end(), {"-d", device});
    const Outcome outcome = run(floor);
    CAPTURE(outcome.err);
    CHECK(outcome.status == 0);
    CHECK(outcome.out == text);
}

TEST_CASE("apps generate: the prompt is text as it stands, a file, or ids") {
    const Folder folder;
    const std::string prompt = "HAMLET:\nTo be\\n"; // the escape is not interpreted
    const std::string text = finished({"generate", "--temp", "0", "-n", "20", "-p", prompt}).out;
    CHECK(finished({"generate", "--temp", "0", "-n", "20", "-f", folder.write("prompt", prompt)}).out == text);
    const std::string ids = "0 " + ids_of(prompt); // 0: the demo model is given it first
    CHECK(finished({"generate", "--temp", "0", "-n", "20", "--tokens", ids}).out == text);
    CHECK(finished({"generate", "--temp", "0", "-n", "20", "-m", FIREFINCH_DEMO_FILE, "--tokens", ids}).out == text);
}

TEST_CASE("apps generate: --print-tokens prints ids") {
    const std::string text = finished({"generate", "--temp", "0", "-n", "6"}).out;
    CHECK(finished({"generate", "--temp", "0", "-n", "6", "--print-tokens"}).out == ids_of(text) + "\n");
}

TEST_CASE("apps generate: it ends before a stop text") {
    const std::string text = finished({"generate", "--temp", "0", "-n", "60"}).out;
    const std::string stop = text.substr(20, 5);
    const Json json =
        Json::parse(finished({"generate", "--temp", "0", "-n", "60", "--stop", "not in it", "--stop", stop, "--json"}).out);
    CHECK(json["text"] == text.substr(0, text.find(stop)));
    CHECK(json["reason"] == "stop_text");
    CHECK(finished({"generate", "--temp", "0", "-n", "60", "--stop", stop}).out == text.substr(0, text.find(stop)));
}

TEST_CASE("apps generate: biases and cut-offs reach the sampler") {
    CHECK(finished({"generate", "--temp", "0", "-n", "4", "--logit-bias", "101=-9", "--logit-bias", "122=1000"}).out ==
          "zzzz");
    const std::string greedy = finished({"generate", "--temp", "0", "-n", "30"}).out;
    CHECK(finished({"generate", "--temp", "1", "--top-p", "1", "--min-p", "1", "-n", "30"}).out == greedy);
    CHECK(finished({"generate", "--seed", "1", "--typical", "0.2", "-n", "30"}).out !=
          finished({"generate", "--seed", "1", "-n", "30"}).out);
}

TEST_CASE("apps generate: --json writes one object and nothing else") {
    const Outcome outcome = finished({"generate", "--seed", "5", "-n", "30", "--json", "-v"});
    const Json json = Json::parse(outcome.out); // throws on anything behind it
    CHECK(json["schema"] == "firefinch-generate/1");
    CHECK(json["tokens"].size() == 30);
    CHECK(json["produced"] == 30);
    CHECK(json["prompt_tokens"] == 8); // token 0 and "ROMEO:\n"
    CHECK(json["reason"] == "limit");
    CHECK(json["seed"] == 5);
    CHECK(json["recordings"] == 1);
    CHECK(json["text"] == finished({"generate", "--seed", "5", "-n", "30"}).out);
    CHECK(!json["device"]["name"].get<std::string>().empty());
}

TEST_CASE("apps generate: -v says who did the work, and that the step was recorded once") {
    const Outcome outcome = finished({"generate", "-n", "50", "-v"});
    CHECK(outcome.err.find("recordings:  1\n") != std::string::npos);
    const Json device = Json::parse(finished({"generate", "-n", "1", "--json"}).out)["device"];
    CHECK(outcome.err.find(device["name"].get<std::string>()) != std::string::npos);
    CHECK(outcome.err.find(device["driver"].get<std::string>()) != std::string::npos);
}

TEST_CASE("apps generate: without a terminal and without -v stderr stays empty") {
    CHECK(finished({"generate", "-n", "5"}).err.empty());
    CHECK(finished({"generate", "-n", "5", "-q"}).err.empty());
}

TEST_CASE("apps generate: a saved state goes on as if nothing had happened") {
    const Folder folder;
    const std::string state = folder.path("state");
    const std::string whole = finished({"generate", "--temp", "0", "-n", "60"}).out;
    const std::string begin = finished({"generate", "--temp", "0", "-n", "25", "--save-state", state}).out;
    const std::string rest = finished({"generate", "--temp", "0", "-n", "35", "--load-state", state}).out;
    CHECK(begin + rest == whole);

    const std::string more = finished({"generate", "--temp", "0", "-n", "20", "--load-state", state, "-p", "NURSE:\n"}).out;
    CHECK(finished({"generate", "--temp", "0", "-n", "20", "-p", "ROMEO:\n" + begin + "NURSE:\n"}).out == more);
}

TEST_CASE("apps generate: Ctrl-C ends it with what was produced so far") {
    const Folder folder;
    const std::string state = folder.path("state");
    Arguments arguments = {"generate", "--ignore-eos", "--seed", "1", "-n", "100000000", "--save-state", state};
    const Arguments more = device_arguments();
    arguments.insert(arguments.end(), more.begin(), more.end());
    Process process(arguments, {});
    for (int i = 0; i < 6000 && process.out_so_far().size() < 10; ++i)
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    process.send(SIGINT);
    const Outcome outcome = process.wait();
    CHECK(outcome.status == 130);
    CHECK(outcome.out.size() >= 10);
    CHECK(outcome.err.empty());
    CHECK(std::filesystem::exists(state));
}
