#include "bench_report.h"

#include "device_text.h"
#include "failure.h"
#include "system.h"

#include <algorithm>

#include <fmt/format.h>

namespace program {
namespace {

Json spread_json(const std::vector<double> &samples) {
    const Spread spread = spread_of(samples);
    return {{"median", spread.median}, {"min", spread.least}, {"max", spread.most}};
}

double fraction_of(const BenchReport &report, double bytes, double seconds) {
    return bytes / seconds / report.roofline.read_bytes_per_second;
}

// bytes_read_per_token * tokens_per_second over what the device reads at best.
double bandwidth_fraction(const BenchReport &report, const BenchResult &result) {
    return fraction_of(report, static_cast<double>(report.statistics.bytes_read_per_token),
                       1 / spread_of(result.tokens_per_second).median);
}

// A kernel that moves nothing but activations has no fraction, and neither has one too short for the device's clock.
Json kernel_fraction(const BenchReport &report, const ff_kernel_cost &kernel) {
    if (kernel.bytes == 0 || !(kernel.microseconds > 0)) return {};
    return fraction_of(report, static_cast<double>(kernel.bytes), kernel.microseconds * 1e-6);
}

Json result_json(const BenchReport &report, const BenchResult &result) {
    return {{"test", result.test},
            {"batch", result.batch},
            {"tokens", result.tokens},
            {"repeats", result.tokens_per_second.size()},
            {"tokens_per_second", spread_json(result.tokens_per_second)},
            {"bandwidth_fraction", bandwidth_fraction(report, result)},
            {"dispatches_per_token", spread_of(result.launches_per_token).median},
            {"tuned_dispatches_per_token", result.tuned_per_token},
            {"tunable_dispatches_per_token", result.tunable_per_token},
            {"submissions_per_token", spread_of(result.submissions_per_token).median},
            {"host_microseconds_per_token", spread_of(result.host_microseconds_per_token).median},
            {"samples",
             {{"tokens_per_second", result.tokens_per_second},
              {"host_microseconds_per_token", result.host_microseconds_per_token}}}};
}

Json kernels_json(const BenchReport &report) {
    if (report.kernels_wanted && !report.kernels.report) return {};
    Json rows = Json::array();
    for (const ff_kernel_cost &kernel : report.kernels.kernels)
        rows.push_back({{"name", kernel.kernel},
                        {"variant", kernel.variant},
                        {"calls_per_token", kernel.calls_per_token},
                        {"microseconds", kernel.microseconds},
                        {"bytes", kernel.bytes},
                        {"bandwidth_fraction", kernel_fraction(report, kernel)}});
    return rows;
}

// "tg128 x8"
std::string test_name(const BenchResult &result) {
    const std::string together = result.batch > 1 ? fmt::format(" x{}", result.batch) : "";
    return fmt::format("{}{}{}", result.test == "decode" ? "tg" : "pp", result.tokens, together);
}

std::string results_text(const BenchReport &report) {
    std::string out = fmt::format("{:<12}{:>12}{:>12}{:>12}{:>14}{:>12}{:>14}{:>16}\n", "test", "tokens/s", "min",
                                  "max", "of roofline", "launches", "submissions", "host us/token");
    for (const BenchResult &result : report.results) {
        const Spread speed = spread_of(result.tokens_per_second);
        out += fmt::format("{:<12}{:>12}{:>12}{:>12}{:>14}{:>12}{:>14}{:>16.1f}\n", test_name(result),
                           speed_text(speed.median), speed_text(speed.least), speed_text(speed.most),
                           percent_text(bandwidth_fraction(report, result)),
                           fmt::format("{:.4g}", spread_of(result.launches_per_token).median),
                           fmt::format("{:.3f}", spread_of(result.submissions_per_token).median),
                           spread_of(result.host_microseconds_per_token).median);
    }
    return out;
}

std::string kernels_text(const BenchReport &report) {
    if (!report.kernels_wanted) return {};
    if (!report.kernels.report) return fmt::format("\nno times of kernels: {}\n", printable(report.kernels.refusal));
    std::string out =
        fmt::format("\n{:<34}{:>8}{:>14}{:>14}{:>14}\n", "kernel", "calls", "us/token", "bytes", "of roofline");
    double total = 0;
    std::uint64_t calls = 0;
    for (const ff_kernel_cost &kernel : report.kernels.kernels) {
        const Json fraction = kernel_fraction(report, kernel);
        out += fmt::format("{:<34}{:>8}{:>14.1f}{:>14}{:>14}\n", fmt::format("{}.{}", kernel.kernel, kernel.variant),
                           kernel.calls_per_token, kernel.microseconds, bytes_text(kernel.bytes),
                           fraction.is_null() ? "-" : percent_text(fraction.get<double>()));
        total += kernel.microseconds;
        calls += kernel.calls_per_token;
    }
    return out + fmt::format("{:<34}{:>8}{:>14.1f}\n", "together", calls, total);
}

// A prompt's and a batch's steps are others than the decode step, and --decode 0 leaves that one's test out.
bool tuning_used(const BenchReport &report) {
    return report.statistics.tuned_launches > 0 ||
           std::any_of(report.results.begin(), report.results.end(),
                       [](const BenchResult &result) { return result.tuned_per_token > 0; });
}

std::string tuning_text(const BenchReport &report) {
    if (!tuning_used(report)) return "tuning: the table's values; 'firefinch tune' looks for better ones\n";
    std::string out = fmt::format("tuning: with values that 'firefinch tune' measured {} of {} launches of a decode step",
                                  report.statistics.tuned_launches, report.statistics.tunable_launches);
    for (const BenchResult &result : report.results)
        if (result.test == "prefill" || result.batch > 1)
            out += fmt::format(", {:.4g} of {:.4g} a token of {}", result.tuned_per_token, result.tunable_per_token,
                               test_name(result));
    return out + "\n";
}

std::string denied_text(const BenchReport &report) {
    if (report.denied.empty()) return {};
    return fmt::format("denied: {}; the times are of what takes their place, 'firefinch devices' says why\n",
                       fmt::join(report.denied, ", "));
}

} // namespace

std::string BenchReport::device_line() const {
    const std::string cpu = host_cpu();
    return fmt::format("{}, {}{}{}, Vulkan {}, {}{}; reads {}B/s, {} multiply-adds/s{}{}{}", device.name, device.driver,
                       *device.driver_info == '\0' ? "" : " ", device.driver_info, api_version(device.api_version),
                       bytes_text(device.memory_bytes), profile == "native" ? "" : fmt::format(", profile {}", profile),
                       scaled_text(roofline.read_bytes_per_second), scaled_text(roofline.multiply_adds_per_second),
                       roofline.matrix_multiply_adds_per_second > 0
                           ? fmt::format(", {}/s by matrices", scaled_text(roofline.matrix_multiply_adds_per_second))
                           : "",
                       cpu.empty() ? "" : "; host: ", cpu);
}

Json BenchReport::to_json() const {
    Json json = report_json("firefinch-bench/1");
    json["device"] = device_json(device, profile, traits);
    json["host"] = {{"os", or_null(host_os())}, {"cpu", or_null(host_cpu())}};
    json["model"] = {{"name", model_name},
                     {"version", model.version},
                     {"layers", model.layers},
                     {"width", model.width},
                     {"vocabulary", model.vocabulary},
                     {"weights", weights},
                     {"parameters", model.parameters},
                     {"bytes_read_per_token", statistics.bytes_read_per_token}};
    json["roofline"] = {{"read_bytes_per_second", roofline.read_bytes_per_second},
                        {"multiply_adds_per_second", roofline.multiply_adds_per_second},
                        {"matrix_multiply_adds_per_second", roofline.matrix_multiply_adds_per_second > 0
                                                                ? Json(roofline.matrix_multiply_adds_per_second)
                                                                : Json()}};
    json["results"] = Json::array();
    for (const BenchResult &result : results) json["results"].push_back(result_json(*this, result));
    json["kernels"] = kernels_json(*this);
    json["startup"] = {{"load_seconds", statistics.load_seconds},
                       {"pipeline_seconds", statistics.pipeline_seconds},
                       {"pipelines_cached", statistics.pipeline_cache_hit != 0},
                       {"first_token_seconds", startup.first_token_seconds},
                       {"peak_host_bytes", startup.peak_host_bytes == 0 ? Json() : Json(startup.peak_host_bytes)},
                       {"device_bytes", statistics.device_bytes}};
    json["denied"] = denied;
    json["tuning"] = {{"used", tuning_used(*this)},
                      {"tuned_launches", statistics.tuned_launches},
                      {"tunable_launches", statistics.tunable_launches}};
    return json;
}

std::string BenchReport::to_text() const {
    return fmt::format("{}\n"
                       "{}, RWKV-{}, {} layers, {} wide, {} parameters, {}, {} to read a token\n\n",
                       device_line(), printable(model_name), model.version, model.layers, model.width,
                       grouped(model.parameters), weights, bytes_text(statistics.bytes_read_per_token)) +
           results_text(*this) + kernels_text(*this) +
           fmt::format("\nstart: weights {:.2f} s, {} pipelines {:.2f} s ({}), first token after {:.2f} s; "
                       "{} on the host at most, {} on the device\n",
                       statistics.load_seconds, statistics.pipelines, statistics.pipeline_seconds,
                       statistics.pipeline_cache_hit != 0 ? "cached" : "not cached", startup.first_token_seconds,
                       bytes_text(startup.peak_host_bytes), bytes_text(statistics.device_bytes)) +
           tuning_text(*this) + denied_text(*this);
}

} // namespace program
