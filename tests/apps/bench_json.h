// Bench files made up for tests of the report.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

namespace test {

using Json = nlohmann::json;

// As `firefinch bench --prefill 512 --decode 128 --batch 1,8 --repeat 5 --kernels --json` writes it, on a device that
// does not exist. Everything that is measured in tokens/s is times `speed`.
Json bench_json(double speed = 1);
// As `firefinch bench --suite standard --json` writes the runs of a suite.
Json suite_json(const Json &runs);
// With these samples, and the figures that follow from them.
Json result_json(const char *test, int batch, int tokens, const std::vector<double> &samples,
                 const std::vector<double> &host_samples);
// `count` samples around `centre` that differ by a few parts in a hundred, others for another seed.
std::vector<double> noisy(double centre, std::size_t count, unsigned seed, double width = 0.03);

} // namespace test
