#include "generate_report.h"

#include <algorithm>

#include <fmt/format.h>

namespace program {
namespace {

double ratio(double part, double whole) {
    return whole > 0 ? part / whole : 0.0;
}

} // namespace

double GenerateReport::per_second() const {
    return ratio(static_cast<double>(result.produced), result.seconds);
}

double GenerateReport::prefill_per_second() const {
    return ratio(static_cast<double>(prompt_tokens), prefill_seconds);
}

double GenerateReport::submissions_per_token() const {
    return ratio(static_cast<double>(result.submissions), static_cast<double>(result.produced));
}

double GenerateReport::host_microseconds_per_token() const {
    return ratio(result.host_seconds * 1e6, static_cast<double>(result.produced));
}

void GenerateReport::print_notes(Terminal &terminal) const {
    if (!terminal.verbose()) {
        terminal.note(
            fmt::format("\n{} tokens, {:.1f} tokens/s on {}", grouped(result.produced), per_second(), device.name));
        return;
    }
    terminal.note(fmt::format("\n"
                              "device:      {}, {} {}\n"
                              "model:       RWKV-{}, {} layers, {} wide, {} parameters\n"
                              "load:        weights {:.2f} s, {} pipelines {:.2f} s ({}); {} on the device\n"
                              "prefill:     {} tokens, {:.1f} tokens/s\n"
                              "decode:      {} tokens, {:.1f} tokens/s; ended by: {}; seed {}",
                              device.name, device.driver, device.driver_info, model.version, model.layers, model.width,
                              grouped(model.parameters), statistics.load_seconds, statistics.pipelines,
                              statistics.pipeline_seconds, statistics.pipeline_cache_hit != 0 ? "cached" : "not cached",
                              bytes_text(statistics.device_bytes), prompt_tokens, prefill_per_second(),
                              grouped(result.produced), per_second(), reason, seed));
    terminal.note(fmt::format("a token:     {} launches, {} barriers, {:.3f} submissions, {:.1f} host microseconds, "
                              "{} to move\n"
                              "recordings:  {}",
                              statistics.launches_per_token, statistics.barriers_per_token, submissions_per_token(),
                              host_microseconds_per_token(), bytes_text(statistics.bytes_read_per_token),
                              statistics.recordings));
}

Json GenerateReport::to_json() const {
    return {{"schema", "firefinch-generate/1"},
            {"prompt_tokens", prompt_tokens},
            {"produced", result.produced},
            {"reason", reason},
            {"seed", seed},
            {"seconds", result.seconds},
            {"tokens_per_second", per_second()},
            {"prefill_tokens_per_second", prefill_per_second()},
            {"launches_per_token", statistics.launches_per_token},
            {"submissions_per_token", submissions_per_token()},
            {"host_microseconds_per_token", host_microseconds_per_token()},
            {"recordings", statistics.recordings},
            {"device", {{"name", device.name}, {"driver", device.driver}, {"driver_info", device.driver_info}}}};
}

} // namespace program
