#include "bench_json.h"

#include <algorithm>
#include <random>

namespace test {
namespace {

double median(std::vector<double> samples) {
    std::sort(samples.begin(), samples.end());
    const std::size_t middle = samples.size() / 2;
    return samples.size() % 2 == 1 ? samples[middle] : (samples[middle - 1] + samples[middle]) / 2;
}

constexpr double kReads = 250e9, kBytes = 400e6;

} // namespace

Json result_json(const char *test, int batch, int tokens, const std::vector<double> &samples,
                 const std::vector<double> &host_samples) {
    Json speed = {{"median", median(samples)},
                  {"min", *std::min_element(samples.begin(), samples.end())},
                  {"max", *std::max_element(samples.begin(), samples.end())}};
    const bool decode = std::string(test) == "decode";
    return {{"test", test},
            {"batch", batch},
            {"tokens", tokens},
            {"repeats", samples.size()},
            {"tokens_per_second", speed},
            {"bandwidth_fraction", median(samples) * kBytes / kReads},
            {"dispatches_per_token", decode ? 65.0 : 0.25},
            {"submissions_per_token", decode ? 0.25 : 0.125},
            {"host_microseconds_per_token", median(host_samples)},
            {"samples", {{"tokens_per_second", samples}, {"host_microseconds_per_token", host_samples}}}};
}

Json bench_json(double speed) {
    const auto times = [&](std::vector<double> samples) {
        for (double &sample : samples) sample *= speed;
        return samples;
    };
    const std::vector<double> host = {21.3, 20.8, 22.4, 21.1, 20.9};
    Json json = {{"schema", "firefinch-bench/1"},
                 {"firefinch", "0.1.0 0123456789ab"},
                 {"time", "2026-01-02T03:04:05Z"},
                 {"device",
                  {{"name", "Example GPU 9000"},
                   {"vendor", "Example"},
                   {"driver", "exampledrv"},
                   {"driver_version", "Mesa 99.1"},
                   {"api_version", "1.3.300"},
                   {"type", "discrete"},
                   {"memory_bytes", 8'000'000'000},
                   {"profile", "native"},
                   {"traits", {{"subgroup_size", 32}, {"storage16", 1}}}}},
                 {"host", {{"os", "Linux 6.1 x86_64"}, {"cpu", nullptr}}},
                 {"model",
                  {{"name", "goose.gguf"},
                   {"version", "7.0"},
                   {"layers", 12},
                   {"width", 768},
                   {"vocabulary", 65536},
                   {"weights", "f16"},
                   {"parameters", 191'034'624},
                   {"bytes_read_per_token", 400'000'000}}},
                 {"roofline", {{"read_bytes_per_second", kReads}, {"multiply_adds_per_second", 5e12}, {"matrix_multiply_adds_per_second", 41e12}}},
                 {"kernels",
                  {{{"name", "mix_project"},
                    {"variant", "f16"},
                    {"calls_per_token", 12},
                    {"microseconds", 900.5},
                    {"bytes", 200'000'000},
                    {"bandwidth_fraction", 0.888}},
                   {{"name", "sample"},
                    {"variant", "floor"},
                    {"calls_per_token", 1},
                    {"microseconds", 12.25},
                    {"bytes", 0},
                    {"bandwidth_fraction", nullptr}}}},
                 {"startup",
                  {{"load_seconds", 0.51},
                   {"pipeline_seconds", 0.11},
                   {"first_token_seconds", 0.77},
                   {"peak_host_bytes", nullptr},
                   {"device_bytes", 512'000'000}}},
                 {"tuning", {{"used", false}, {"tuned_launches", 0}, {"tunable_launches", 40}}},
                 {"denied", Json::array({"head.f16_subgroup"})}};
    json["results"] = {result_json("prefill", 1, 512, times({9120.5, 9288.25, 9011.125, 9202.75, 9190.5}), host),
                       result_json("decode", 1, 128, times({412.25, 415.5, 409.75, 414.125, 413.0}), host),
                       result_json("decode", 8, 128, times({2512.5, 2498.25, 2530.75, 2505.125, 2519.0}), host)};
    return json;
}

Json suite_json(const Json &runs) {
    return {{"schema", "firefinch-suite/1"},
            {"firefinch", "0.1.0 0123456789ab"},
            {"time", "2026-01-02T03:04:05Z"},
            {"suite", "standard"},
            {"score", 41.5},
            {"scored_tests", 6},
            {"tests", 8},
            {"cut", Json::array({"7-2.9b q4_k: would take too long on this device"})},
            {"seconds", 100.5},
            {"runs", runs}};
}

std::vector<double> noisy(double centre, std::size_t count, unsigned seed, double width) {
    std::mt19937 random(seed);
    std::vector<double> samples;
    for (std::size_t i = 0; i < count; ++i) {
        double sum = 0; // of four uniform numbers: bell-shaped enough
        for (int j = 0; j < 4; ++j) sum += static_cast<double>(random()) / 4294967296.0 - 0.5;
        samples.push_back(centre * (1 + width * sum));
    }
    return samples;
}

} // namespace test
