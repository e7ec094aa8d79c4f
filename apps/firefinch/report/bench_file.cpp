#include "report/bench_file.h"

#include "failure.h"
#include "report/field.h"
#include "utf8.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include <fmt/format.h>

namespace program::report {
namespace {

constexpr const char *kSchema = "firefinch-bench/1", *kSuiteSchema = "firefinch-suite/1";
// Wider than any device to come, and narrow enough that quotients stay finite and their digits in a column.
constexpr double kLeast = 1e-6, kMost = 1e15;
constexpr std::uint64_t kMostWhole = 1'000'000'000'000'000;
constexpr std::size_t kMostResults = 256, kMostKernels = 1024, kMostTraits = 1024, kMostRuns = 64;
constexpr std::size_t kMostCut = kMostRuns; // a model that was cut down or left out has a sentence
constexpr double kMostTrait = 2e19; // drivers state limits of up to 2^64 - 1
constexpr std::size_t kMostSamples = 10'000; // the most that bench --repeat takes
constexpr std::size_t kMostSamplesTogether = 100'000; // a comparison draws each of them a thousand times

nlohmann::json parse(const std::string &path, std::string_view text) {
    try {
        return nlohmann::json::parse(text);
    } catch (const nlohmann::json::parse_error &error) { // its text quotes what was read, however much that is
        const std::string_view before = text.substr(0, error.byte == 0 ? 0 : error.byte - 1);
        const auto line = std::count(before.begin(), before.end(), '\n') + 1;
        const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1; // npos + 1 is 0
        throw Failure(fmt::format("{}: is no JSON, as line {}, column {} shows; expected what 'firefinch bench --json' "
                                  "writes",
                                  path, line, column));
    } catch (const nlohmann::json::exception &) {
        throw Failure(fmt::format("{}: has a number that no double can hold", path));
    }
}

// A median that its own samples contradict was edited, or is not what we take it for.
void check_agrees(const Field &field, double stated, double computed) {
    if (std::abs(stated - computed) > 1e-6 * std::abs(computed))
        field.fail(fmt::format("is {}", stated), fmt::format("{}, as the samples have it", computed));
}

Spread read_speed(const Field &field, const std::vector<double> &samples) {
    const auto figure = [&](const char *name) { return field[name].number(kLeast, kMost); };
    const Spread stated = {figure("median"), figure("min"), figure("max")};
    if (stated.least > stated.median) field["min"].fail(fmt::format("no more than the median, {}", stated.median));
    if (stated.most < stated.median) field["max"].fail(fmt::format("no less than the median, {}", stated.median));
    if (samples.empty()) return stated;
    const Spread computed = spread_of(samples);
    check_agrees(field["median"], stated.median, computed.median);
    check_agrees(field["min"], stated.least, computed.least);
    check_agrees(field["max"], stated.most, computed.most);
    return stated;
}

std::vector<double> read_samples(const Field &field, double low, std::uint64_t repeats) {
    std::vector<double> samples = field.numbers(low, kMost, kMostSamples);
    if (samples.size() != repeats)
        field.fail(fmt::format("has {} samples", samples.size()), fmt::format("{}, the repeats", repeats));
    return samples;
}

BenchTest read_test(const Field &field) {
    BenchTest test;
    test.test = field["test"].text();
    if (test.test != "prefill" && test.test != "decode") field["test"].fail("\"prefill\" or \"decode\"");
    test.batch = field["batch"].whole(1, 1U << 20);
    test.tokens = field["tokens"].whole(1, kMostWhole);
    test.repeats = field["repeats"].whole(1, kMostSamples);
    if (const Field samples = field["samples"]; !samples.is_null()) {
        test.speed_samples = read_samples(samples["tokens_per_second"], kLeast, test.repeats);
        test.host_samples = read_samples(samples["host_microseconds_per_token"], 0, test.repeats);
    }
    test.tokens_per_second = read_speed(field["tokens_per_second"], test.speed_samples);
    test.bandwidth_fraction = field["bandwidth_fraction"].number_or_none(0, kMost);
    test.dispatches_per_token = field["dispatches_per_token"].number_or_none(0, kMost);
    test.submissions_per_token = field["submissions_per_token"].number_or_none(0, kMost);
    const Field host = field["host_microseconds_per_token"];
    test.host_microseconds_per_token = host.number_or_none(0, kMost);
    if (test.host_microseconds_per_token && !test.host_samples.empty())
        check_agrees(host, *test.host_microseconds_per_token, spread_of(test.host_samples).median);
    return test;
}

BenchKernel read_kernel(const Field &field) {
    BenchKernel kernel;
    kernel.name = field["name"].text();
    kernel.variant = field["variant"].text();
    kernel.calls_per_token = field["calls_per_token"].whole(0, kMostWhole);
    kernel.microseconds = field["microseconds"].number(0, kMost);
    kernel.bytes = field["bytes"].whole(0, kMostWhole);
    kernel.bandwidth_fraction = field["bandwidth_fraction"].number_or_none(0, kMost);
    return kernel;
}

void read_device(const Field &field, BenchFile::Device &device) {
    device.name = field["name"].text();
    device.vendor = field["vendor"].text();
    device.driver = field["driver"].text();
    device.driver_version = field["driver_version"].text_or_none();
    device.api_version = field["api_version"].text();
    device.type = field["type"].text();
    device.memory_bytes = field["memory_bytes"].whole(0, kMostWhole);
    device.profile = field["profile"].text_or_none();
    if (field["traits"].is_null()) return;
    for (const auto &[name, value] : field["traits"].members(kMostTraits))
        device.traits.emplace_back(name,
                                   value.is_number() ? fmt::format("{}", value.number(-kMostTrait, kMostTrait)) : value.text());
}

void read_model(const Field &field, BenchFile::Model &model) {
    model.name = field["name"].text();
    model.version = field["version"].text();
    model.weights = field["weights"].text();
    model.layers = field["layers"].whole(1, kMostWhole);
    model.width = field["width"].whole(1, kMostWhole);
    model.vocabulary = field["vocabulary"].whole(1, kMostWhole);
    model.parameters = field["parameters"].whole(1, kMostWhole);
    model.bytes_read_per_token = field["bytes_read_per_token"].whole(1, kMostWhole);
}

void read_startup(const Field &field, BenchFile &file) {
    file.load_seconds = field["load_seconds"].number(0, kMost);
    file.pipeline_seconds = field["pipeline_seconds"].number(0, kMost);
    file.first_token_seconds = field["first_token_seconds"].number(0, kMost);
    file.device_bytes = field["device_bytes"].whole(0, kMostWhole);
    if (const Field peak = field["peak_host_bytes"]; !peak.is_null()) file.peak_host_bytes = peak.whole(0, kMostWhole);
}

std::vector<std::string> read_texts(const Field &field, std::size_t most) {
    std::vector<std::string> all;
    for (const Field &item : field.items(most)) all.push_back(item.text());
    return all;
}

BenchSource::Suite read_suite(const Field &root) {
    BenchSource::Suite suite;
    suite.score = root["score"].number_or_none(0, kMost);
    suite.tests = root["tests"].whole(0, kMostWhole);
    suite.scored_tests = root["scored_tests"].whole(0, suite.tests);
    if (suite.scored_tests == 0) suite.score.reset(); // which was 0 before it was null
    suite.cut = read_texts(root["cut"], kMostCut);
    return suite;
}

std::string file_name_of(const std::string &path) {
    return one_line(std::filesystem::path(path).filename().string());
}

} // namespace

std::string BenchSource::file_name() const {
    return file_name_of(path);
}

std::string BenchFile::file_name() const {
    return file_name_of(path);
}

bool BenchFile::same_model(const BenchFile &other) const {
    const Model &a = model, &b = other.model;
    return a.version == b.version && a.layers == b.layers && a.width == b.width && a.vocabulary == b.vocabulary;
}

const BenchTest *BenchFile::find(const BenchTest &like) const {
    const auto found =
        std::find_if(results.begin(), results.end(), [&](const BenchTest &test) { return test.same_test(like); });
    return found == results.end() ? nullptr : &*found;
}

namespace {

BenchFile read_run(const std::string &path, const Field &root) {
    if (root["schema"].text() != kSchema)
        root["schema"].fail(fmt::format("\"{}\", which 'firefinch bench --json' writes", kSchema));
    BenchFile file;
    file.path = path;
    file.firefinch = root["firefinch"].text();
    file.time = root["time"].text();
    read_device(root["device"], file.device);
    file.host_os = root["host"]["os"].text_or_none();
    file.host_cpu = root["host"]["cpu"].text_or_none();
    read_model(root["model"], file.model);
    file.read_bytes_per_second = root["roofline"]["read_bytes_per_second"].number(1, kMost);
    file.multiply_adds_per_second = root["roofline"]["multiply_adds_per_second"].number(1, kMost);
    file.matrix_multiply_adds_per_second =
        root["roofline"]["matrix_multiply_adds_per_second"].number_or_none(1, kMost);
    std::size_t samples = 0;
    for (const Field &result : root["results"].items(kMostResults)) {
        file.results.push_back(read_test(result));
        samples += file.results.back().speed_samples.size();
    }
    if (samples > kMostSamplesTogether)
        root["results"].fail(fmt::format("has {} samples", samples), fmt::format("{} at most", kMostSamplesTogether));
    file.kernels_refused = root["kernels"].is_null();
    if (!file.kernels_refused)
        for (const Field &kernel : root["kernels"].items(kMostKernels)) file.kernels.push_back(read_kernel(kernel));
    read_startup(root["startup"], file);
    if (const Field tuning = root["tuning"]; !tuning.is_null()) file.tuned = tuning["used"].truth();
    if (const Field denied = root["denied"]; !denied.is_null()) file.denied = read_texts(denied, kMostKernels);
    return file;
}

} // namespace

std::vector<BenchFile> parse_bench_files(const std::string &path, std::string_view text) {
    const nlohmann::json json = parse(path, text);
    const bool is_suite = json.is_object() && json.value("schema", nlohmann::json()) == kSuiteSchema;
    const Field whole(path, json);
    std::vector<BenchFile> files;
    if (is_suite || json.is_array()) {
        for (const Field &run : (is_suite ? whole["runs"] : whole).items(kMostRuns))
            files.push_back(read_run(fmt::format("{}, run {}", path, files.size() + 1), run));
        if (files.empty()) throw Failure(fmt::format("{}: it has no run of a model", path));
    } else {
        files.push_back(read_run(path, whole));
    }
    const auto source = std::make_shared<BenchSource>();
    source->path = path;
    if (is_suite) source->suite = read_suite(whole);
    for (BenchFile &file : files) file.source = source;
    return files;
}

} // namespace program::report
