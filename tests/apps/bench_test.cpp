// The program's bench command: its JSON is complete and its figures agree with each other. How large they are is not
// for a test to say.
#include "denied.h"
#include "process.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace test;
using Json = nlohmann::json;

namespace {

Json bench(Arguments more, const std::string &prefill = "20") {
    Arguments arguments = {"bench", "--json", "--prefill", prefill, "--decode", "6", "--repeat", "3"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const Outcome outcome = run_on_device(arguments);
    CAPTURE(outcome.err);
    REQUIRE(outcome.status == 0);
    CHECK(std::count(outcome.out.begin(), outcome.out.end(), '\n') == 1);
    return Json::parse(outcome.out);
}

bool positive(const Json &value) {
    return value.is_number() && value.get<double>() > 0;
}

void check_members(const Json &object, std::initializer_list<const char *> names) {
    for (const char *name : names) {
        CAPTURE(name);
        CHECK(object.contains(name));
    }
}

} // namespace

TEST_CASE("apps bench: the schema is complete and every figure positive") {
    const Json json = bench({"--kernels"});
    check_members(
        json, {"schema", "firefinch", "time", "device", "host", "model", "roofline", "results", "kernels", "startup",
               "denied", "tuning"});
    CHECK(json["schema"] == "firefinch-bench/1");
    const auto time = json["time"].get<std::string>();
    CHECK(time.size() == 20);
    CHECK(time[10] == 'T');
    check_members(json["device"],
                  {"name", "vendor", "driver", "driver_version", "api_version", "type", "memory_bytes", "traits"});
    CHECK(positive(json["device"]["traits"]["subgroup_size"]));
    check_members(json["host"], {"os", "cpu"});
    CHECK(json["model"]["name"] == "demo");
    CHECK(json["model"]["version"] == "7.0");
    CHECK(json["model"]["layers"] == 4);
    CHECK(json["model"]["width"] == 256);
    CHECK(json["model"]["vocabulary"] == 256);
    CHECK(json["model"]["weights"] == "f16");
    CHECK(json["model"]["parameters"] == 2993920);
    CHECK(positive(json["model"]["bytes_read_per_token"]));
    CHECK(positive(json["roofline"]["read_bytes_per_second"]));
    CHECK(positive(json["roofline"]["multiply_adds_per_second"]));
    CHECK(json["roofline"].contains("matrix_multiply_adds_per_second")); // null without cooperative matrices
    CHECK(positive(json["startup"]["first_token_seconds"]));
    CHECK(positive(json["startup"]["pipeline_seconds"]));
    CHECK(positive(json["startup"]["load_seconds"]));
    CHECK(positive(json["startup"]["peak_host_bytes"]));
    CHECK(positive(json["startup"]["device_bytes"]));

    REQUIRE(json["results"].size() == 2);
    CHECK(json["results"][0]["test"] == "prefill");
    CHECK(json["results"][0]["tokens"] == 20);
    CHECK(positive(json["results"][0]["dispatches_per_token"]));
    CHECK(positive(json["results"][0]["submissions_per_token"]));
    CHECK(json["results"][1]["test"] == "decode");
    CHECK(json["results"][1]["tokens"] == 6);
    CHECK(positive(json["results"][1]["dispatches_per_token"]));
    CHECK(positive(json["results"][1]["submissions_per_token"]));
    CHECK(json["denied"] == Json::array());
    CHECK(json["tuning"]["used"] == false);
    for (const Json &result : json["results"]) {
        CHECK(result["batch"] == 1);
        CHECK(result["tuned_dispatches_per_token"] == 0);
        CHECK(result["tunable_dispatches_per_token"] <= result["dispatches_per_token"]);
        CHECK(result["repeats"] == 3);
        auto samples = result["samples"]["tokens_per_second"].get<std::vector<double>>();
        REQUIRE(samples.size() == 3);
        std::sort(samples.begin(), samples.end());
        CHECK(samples[0] > 0);
        CHECK(result["tokens_per_second"]["min"] == samples[0]);
        CHECK(result["tokens_per_second"]["median"] == samples[1]);
        CHECK(result["tokens_per_second"]["max"] == samples[2]);
        CHECK(result["samples"]["host_microseconds_per_token"].size() == 3);
        CHECK(positive(result["host_microseconds_per_token"]));
        CHECK(result["bandwidth_fraction"].get<double>() ==
              doctest::Approx(samples[1] * json["model"]["bytes_read_per_token"].get<double>() /
                              json["roofline"]["read_bytes_per_second"].get<double>()));
    }
    if (json["kernels"].is_null()) { // the device has no timestamps
        CHECK(json["device"]["traits"]["timestamp_valid_bits"] == 0);
        return;
    }
    std::uint64_t calls = 0, bytes = 0;
    for (const Json &kernel : json["kernels"]) {
        check_members(kernel, {"name", "variant", "calls_per_token", "microseconds", "bytes", "bandwidth_fraction"});
        CHECK(kernel["microseconds"].get<double>() >= 0);
        calls += kernel["calls_per_token"].get<std::uint64_t>();
        bytes += kernel["bytes"].get<std::uint64_t>();
    }
    CHECK(calls == json["results"][1]["dispatches_per_token"].get<std::uint64_t>());
    CHECK(bytes == json["model"]["bytes_read_per_token"].get<std::uint64_t>());
}

TEST_CASE("apps bench: tests can be left out, and a file and other weights benched") {
    const Json json = bench({"-m", FIREFINCH_DEMO_FILE, "--weights", "q8_0", "--cool-down", "0.01"}, "0");
    REQUIRE(json["results"].size() == 1);
    CHECK(json["results"][0]["test"] == "decode");
    CHECK(json["model"]["name"] == "demo-rwkv7.safetensors");
    CHECK(json["model"]["weights"] == "q8_0");
    CHECK(json["kernels"] == Json::array());
}

TEST_CASE("apps bench: batches, a row each") {
    const Json json = bench({"--batch", "2,1"}, "0");
    REQUIRE(json["results"].size() == 2);
    CHECK(json["results"][0]["batch"] == 2);
    CHECK(json["results"][1]["batch"] == 1);
    for (const Json &result : json["results"]) {
        CHECK(result["test"] == "decode");
        CHECK(result["tokens"] == 6);
        CHECK(positive(result["dispatches_per_token"]));
        CHECK(positive(result["submissions_per_token"]));
    }
}

TEST_CASE("apps bench: the standard suite, cut to what fits into the time") {
    // The demo model is always run.
    const Outcome outcome = run_on_device_with({}, {"bench", "--suite", "standard", "--seconds", "10", "--json"}, std::chrono::minutes(5));
    REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
    const Json json = Json::parse(outcome.out);
    check_members(json, {"schema", "firefinch", "time", "suite", "score", "scored_tests", "tests", "cut", "seconds", "runs"});
    CHECK(json["schema"] == "firefinch-suite/1");
    CHECK(json["suite"] == "standard");
    CHECK(json["tests"] == 8);
    REQUIRE(json["runs"].size() >= 1);
    CHECK(json["runs"][0]["model"]["name"] == "demo");
    CHECK(json["runs"][0]["results"].size() >= 2);
    for (const Json &run : json["runs"]) CHECK(run["schema"] == "firefinch-bench/1");
    CHECK(json["scored_tests"] == 2 * (json["runs"].size() - 1));
    CHECK(json["score"].is_null() == (json["scored_tests"] == 0));
    if (json["scored_tests"] != 0) CHECK(positive(json["score"]));
    CHECK(json["seconds"].get<double>() > 0);
    CHECK(json["cut"].size() >= 5 - json["runs"].size()); // whatever was left out is said
}

TEST_CASE("apps bench: variants on the deny list are named") {
    const Folder folder;
    const std::vector<std::string> denied = deny_kernel(folder.path("cache"), "wide_mix");
    const std::string cache = "FIREFINCH_CACHE_DIR=" + folder.path("cache");
    const Arguments arguments = {"bench", "--prefill", "4", "--decode", "4", "--repeat", "1"};
    Arguments as_json = arguments;
    as_json.push_back("--json");
    const Outcome outcome = run_on_device_with({cache}, as_json);
    REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
    CHECK(Json::parse(outcome.out)["denied"] == denied);
    CHECK(run_on_device_with({cache}, arguments).out.find("\ndenied: wide_mix.") != std::string::npos);
    CHECK(Json::parse(run_on_device_with({cache, "FIREFINCH_DENY_LIST=off"}, as_json).out)["denied"] == Json::array());
}

TEST_CASE("apps bench: a suite of which nothing can be run says why, in its report and on stderr") {
    const Folder folder;
    deny_kernel(folder.path("cache"), "embed");
    const Outcome outcome = run_on_device_with({"FIREFINCH_CACHE_DIR=" + folder.path("cache")},
                                               {"bench", "--suite", "standard", "--seconds", "10", "--json"}, std::chrono::minutes(5));
    CHECK(outcome.status == 1);
    CHECK_MESSAGE(outcome.err.find("nothing of the suite could be run") != std::string::npos, outcome.err);
    const Json json = Json::parse(outcome.out);
    CHECK(json["score"].is_null());
    CHECK(json["runs"] == Json::array());
    REQUIRE(json["cut"].size() == 5);
    CHECK(json["cut"][0].get<std::string>().find("is ruled out") != std::string::npos);
}

TEST_CASE("apps bench: without --json a table, the device in one line") {
    const Outcome outcome = run_on_device({"bench", "--prefill", "20", "--decode", "6", "--repeat", "1", "--kernels"});
    CHECK(outcome.status == 0);
    for (const char *part : {"reads ", "multiply-adds/s", "\npp20 ", "\ntg6 ", "tokens/s", "\nstart: "}) {
        CAPTURE(part);
        CHECK(outcome.out.find(part) != outcome.out.npos);
    }
    CHECK(outcome.err.empty()); // no terminal
}

TEST_CASE("apps bench: what cannot be measured is refused in a sentence") {
    const struct {
        Arguments arguments;
        const char *says;
    } refused[] = {{{"--batch", "1,129"}, "--batch"},
                   {{"--batch", "0"}, "--batch"},
                   {{"--prefill", "0", "--decode", "0"}, "nothing to measure"},
                   {{"--repeat", "0"}, "--repeat"},
                   {{"--model-shape", "7-9b"}, "7-2.9b"},
                   {{"--model-shape", "7-0.1b", "-m", "x"}, "--model"}};
    for (const auto &[more, says] : refused) {
        Arguments arguments = {"bench"};
        arguments.insert(arguments.end(), more.begin(), more.end());
        const Outcome outcome = run(arguments);
        CAPTURE(outcome.err);
        CHECK(outcome.status == 2);
        CHECK(outcome.out.empty());
        CHECK(outcome.err.find(says) != outcome.err.npos);
        CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
    }
    CHECK(run_on_device({"bench", "-m", "no such file"}).status == 1);
}

TEST_CASE("apps bench: Ctrl-C ends it without half a report") {
    Arguments arguments = {"bench", "--decode", "1000000", "--repeat", "100"};
    for (const std::string &more : device_arguments()) arguments.push_back(more);
    Process process(arguments, {});
    std::this_thread::sleep_for(std::chrono::milliseconds(1500));
    process.send(SIGINT);
    const Outcome outcome = process.wait();
    CHECK(outcome.status == 130);
    CHECK(outcome.out.empty());
}
