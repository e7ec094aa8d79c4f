// The plan of a decode step, as the API tells it.
#include "tests/models/fixture.h"

#include <doctest/doctest.h>

#include <map>
#include <string>

using namespace ff::test;

TEST_CASE("a decode step keeps to its dispatch budget") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    std::map<int, int> launches;
    std::uint64_t bytes = 0;
    std::uint32_t barriers = 0;
    for (std::size_t i = 0; i < model.launch_count(); ++i) {
        const ff_launch_info launch = model.launch(i);
        ++launches[launch.layer];
        bytes += launch.bytes;
        barriers += launch.barrier_before != 0 ? 1U : 0U;
        CHECK(launch.groups[0] >= 1);
        CHECK(std::string(launch.kernel) != "");
        CHECK(launch.read_count >= 1);
        CHECK(launch.write_count >= 1);
    }
    for (std::int32_t layer = 0; layer < 4; ++layer) CHECK(launches[layer] == 5);
    CHECK(launches[-1] == 3); // embed, head, sample
    const ff_model_statistics statistics = model.statistics();
    CHECK(statistics.launches_per_token == model.launch_count());
    CHECK(statistics.bytes_read_per_token == bytes);
    CHECK(statistics.barriers_per_token == barriers);
}

TEST_CASE("every weight matrix is read once a token") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    std::map<std::string, int> reads;
    for (std::size_t i = 0; i < model.launch_count(); ++i) {
        const ff_launch_info launch = model.launch(i);
        for (std::size_t r = 0; r < launch.read_count; ++r) ++reads[launch.reads[r]];
    }
    const firefinch::Checkpoint checkpoint(demo.model.string());
    for (std::size_t i = 0; i < checkpoint.tensor_count(); ++i) {
        const ff_tensor_info tensor = checkpoint.tensor(i);
        if (tensor.rank != 2 || std::string(tensor.name).find("r_k") != std::string::npos) continue;
        const std::string name = tensor.name;
        CAPTURE(name);
        CHECK(reads[name] == 1);
    }
}
