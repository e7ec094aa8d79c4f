// firefinch tune: what it measured is used by what runs then, and forgotten when it is told so.
#include "model_file.h"
#include "process.h"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <filesystem>

using namespace test;
using nlohmann::json;

namespace {

std::string tuned_file(const Folder &folder) {
    for (const auto &entry : std::filesystem::directory_iterator(folder.path("cache")))
        if (entry.path().filename().string().rfind("tuned-", 0) == 0) return "cache/" + entry.path().filename().string();
    FAIL("tune wrote no file");
    return {};
}

} // namespace

TEST_CASE("apps tune: what is kept is used, and forgotten") {
    const Folder folder;
    const std::string model = one_layer_of_demo(folder);
    const auto run = [&](const Arguments &arguments) {
        const Outcome outcome =
            run_on_device_with({"FIREFINCH_CACHE_DIR=" + folder.path("cache")}, arguments, std::chrono::minutes(5));
        REQUIRE_MESSAGE(outcome.status == 0, outcome.err);
        return json::parse(outcome.out);
    };
    const auto bench = [&](const std::string &prefill, const std::string &batch) {
        return run({"bench", "-m", model, "--prefill", prefill, "--decode", "4", "--batch", batch, "--repeat", "1", "--json"});
    };
    const auto tuning_of_bench = [&] { return bench("0", "1")["tuning"]; };
    const json tuned = run({"tune", "-m", model, "--json"});
    CHECK(tuned["schema"] == "firefinch-tune/1");
    std::size_t kept = 0;
    std::size_t batches = 0;
    std::string key, table; // of the head, which every decode step has once
    std::string matmul_key, sparse_key; // of a prompt's step, and of 8 sessions'
    for (const json &result : tuned["results"]) {
        CAPTURE(result.dump());
        CHECK(result["candidates"].get<int>() > 0);
        CHECK(result["microseconds_table"].get<double>() > 0);
        CHECK(result["microseconds_best"].get<double>() > 0);
        CHECK(result["trouble"].is_null());
        if (result["kept"] == true) {
            ++kept;
            CHECK(result["best"] != result["table"]);
        }
        batches += result["key"].get<std::string>().ends_with(", 2 tokens") || result["key"].get<std::string>().ends_with(", 8 tokens");
        if (result["key"].get<std::string>().rfind("head.", 0) == 0) key = result["key"], table = result["table"];
        if (result["key"].get<std::string>().rfind("matmul.", 0) == 0) matmul_key = result["key"];
        if (result["key"].get<std::string>().ends_with(", 8 tokens")) sparse_key = result["key"];
    }
    REQUIRE(!key.empty());
    CHECK(batches == 2); // sparse_value's
    const std::string path = tuned_file(folder);
    json file = json::parse(read(folder.path(path)));
    CHECK(file["tuned"].size() == kept);

    // Which values are better goes by the machine, so others than the table's are added: those count that the device can run.
    for (const int invocations : {64, 128, 256})
        for (const int rows : {2, 4, 8})
            if (std::to_string(invocations) + " " + std::to_string(rows) + " 1 1" != table)
                file["tuned"].push_back({{"key", key}, {"values", {invocations, rows, 1, 1}}});
    folder.write(path, file.dump());
    const json used = tuning_of_bench();
    CHECK(used["used"] == true);
    CHECK(used["tuned_launches"].get<int>() >= 1);
    CHECK(used["tuned_launches"] <= used["tunable_launches"]);

    // Of a prompt's step and of a batch's alone, as well.
    file["tuned"] = json::array();
    const json::array_t tiles = {{128, 1, 2}, {64, 2, 2}, {32, 2, 4}, {16, 4, 4}}, teams = {{64, 4}, {128, 8}};
    if (!matmul_key.empty()) // not with cooperative matrices
        for (const json &values : tiles) file["tuned"].push_back({{"key", matmul_key}, {"values", values}});
    for (const json &values : teams) file["tuned"].push_back({{"key", sparse_key}, {"values", values}});
    folder.write(path, file.dump());
    const json elsewhere = bench("128", "1,8");
    CAPTURE(elsewhere.dump());
    CHECK(elsewhere["tuning"]["used"] == true);
    CHECK(elsewhere["tuning"]["tuned_launches"] == 0);
    REQUIRE(elsewhere["results"].size() == 3);
    CHECK((elsewhere["results"][0]["tuned_dispatches_per_token"] > 0) == !matmul_key.empty());
    CHECK(elsewhere["results"][1]["tuned_dispatches_per_token"] == 0);
    CHECK(elsewhere["results"][2]["tuned_dispatches_per_token"] > 0);
    for (const json &result : elsewhere["results"])
        CHECK(result["tuned_dispatches_per_token"] <= result["tunable_dispatches_per_token"]);

    CHECK(run({"tune", "--reset", "--json"})["forgotten"] == file["tuned"].size());
    CHECK(json::parse(read(folder.path(path)))["tuned"].empty());
    CHECK(tuning_of_bench()["used"] == false);
}
