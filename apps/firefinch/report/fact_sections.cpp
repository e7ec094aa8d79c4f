// What lies beside tokens/s: kernels, host time, start-up.
#include "report/runs.h"
#include "report/sections.h"

#include "numbers.h"

#include <algorithm>

#include <fmt/format.h>

namespace program::report {
namespace {

std::string kernel_name(const BenchKernel &kernel) {
    return kernel.variant.empty() ? kernel.name : fmt::format("{}.{}", kernel.name, kernel.variant);
}

// By name only: another variant in its place is what one may want to see.
std::string beside_baseline(const BenchFile &base, const BenchKernel &kernel) {
    const auto found = std::find_if(base.kernels.begin(), base.kernels.end(),
                                    [&](const BenchKernel &other) { return other.name == kernel.name; });
    if (found == base.kernels.end() || !(found->microseconds > 0) || !(kernel.microseconds > 0)) return "-";
    return change_texts(kernel.microseconds / found->microseconds).change;
}

// Slowest first; `base` is null for the baseline itself and where there is nothing to compare.
Table kernel_table(const BenchFile &file, const BenchFile *base, const std::string &name) {
    Table table = {name,
                   {{"kernel", ColumnKind::name},
                    {"", ColumnKind::picture},
                    {"us/token", ColumnKind::number},
                    {"share", ColumnKind::number},
                    {"calls", ColumnKind::number},
                    {"bytes", ColumnKind::number},
                    {"of roofline", ColumnKind::number}},
                   {}};
    if (base != nullptr) table.columns.push_back({"time to baseline", ColumnKind::number});
    std::vector<BenchKernel> kernels = file.kernels;
    std::stable_sort(kernels.begin(), kernels.end(),
                     [](const BenchKernel &a, const BenchKernel &b) { return a.microseconds > b.microseconds; });
    double total = 0;
    std::uint64_t calls = 0, bytes = 0;
    for (const BenchKernel &kernel : kernels) {
        total += kernel.microseconds;
        calls += kernel.calls_per_token;
        bytes += kernel.bytes;
    }
    for (const BenchKernel &kernel : kernels) {
        table.rows.push_back({{kernel_name(kernel)},
                              {"", Tone::plain, BarMark{kernel.microseconds, kernels.front().microseconds}},
                              {figure(kernel.microseconds, 1)},
                              {total > 0 ? percent_text(kernel.microseconds / total) : "-"},
                              {grouped(kernel.calls_per_token)},
                              {bytes_text(kernel.bytes)},
                              {percent_or_none(kernel.bandwidth_fraction)}});
        if (base != nullptr) table.rows.back().push_back({beside_baseline(*base, kernel)});
    }
    table.rows.push_back({{"together"}, {}, {figure(total, 1)}, {""}, {grouped(calls)}, {bytes_text(bytes)}, {""}});
    if (base != nullptr) table.rows.back().push_back({""});
    return table;
}

std::string seconds_text(double seconds) {
    return fmt::format("{:.2f} s", seconds);
}

Table host_table(const std::vector<BenchFile> &files, const std::vector<std::string> &names,
                 const std::vector<bool> &is_baseline, const BenchTest &like) {
    Table table = {test_title(like),
                   {{"run", ColumnKind::name},
                    {"", ColumnKind::picture},
                    {"host us/token", ColumnKind::number},
                    {"min", ColumnKind::number},
                    {"max", ColumnKind::number},
                    {"launches a token", ColumnKind::number},
                    {"submissions a token", ColumnKind::number}},
                   {}};
    double full = 0;
    const auto spread = [](const BenchTest &test) {
        const double median = *test.host_microseconds_per_token;
        return test.host_samples.empty() ? Spread{median, median, median} : spread_of(test.host_samples);
    };
    const auto shown = [&](const BenchTest &test) { return test.same_test(like) && test.host_microseconds_per_token; };
    for (const BenchFile &file : files)
        for (const BenchTest &test : file.results)
            if (shown(test)) full = std::max(full, spread(test).most);
    for (std::size_t i = 0; i < files.size(); ++i)
        for (const BenchTest &test : files[i].results) {
            if (!shown(test)) continue;
            const Spread host = spread(test);
            const bool range = !test.host_samples.empty();
            const BarMark bar = {host.median, full, host.least, host.most, is_baseline[i]};
            table.rows.push_back({{names[i]},
                                  {"", Tone::plain, bar},
                                  {figure(host.median, 1)},
                                  {range ? figure(host.least, 1) : "-"},
                                  {range ? figure(host.most, 1) : "-"},
                                  {test.dispatches_per_token ? fmt::format("{:.4g}", *test.dispatches_per_token) : "-"},
                                  {figure(test.submissions_per_token, 3)}});
        }
    return table;
}

} // namespace

Section kernel_section(const std::vector<BenchFile> &files) {
    Section section = {"Kernels of a decode step",
                       "Median over profiled steps of all calls of a kernel in a token. The gap before each launch is "
                       "in its time and launches are timed one after the other, so together they take longer than a "
                       "step does. Bytes are those a kernel must move."};
    const std::vector<std::string> names = run_names(files);
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (files[i].kernels_refused)
            section.notes.push_back(fmt::format("Run {}: the device has no timestamps to time kernels by.", names[i]));
        const std::optional<std::size_t> base = baseline_of(files, i);
        if (!files[i].kernels.empty())
            section.tables.push_back(
                kernel_table(files[i], base && !files[*base].kernels.empty() ? &files[*base] : nullptr, names[i]));
    }
    return section;
}

Section host_section(const std::vector<BenchFile> &files) {
    Section section = {"Host time",
                       "Processor time of the calling thread for a token, outside waiting, with launches and "
                       "submissions."};
    const std::vector<std::string> names = run_names(files);
    const std::vector<bool> is_baseline = baselines(files);
    for (const BenchTest &test : all_tests(files))
        if (Table table = host_table(files, names, is_baseline, test); !table.rows.empty())
            section.tables.push_back(std::move(table));
    return section;
}

Section startup_section(const std::vector<BenchFile> &files) {
    Section section = {"Start-up and memory",
                       "First token: from opening the device to the first token behind a prompt of one; weights and "
                       "pipelines are within it. With a software device, the device's memory is host memory too."};
    Table table = {"",
                   {{"run", ColumnKind::name},
                    {"", ColumnKind::picture},
                    {"first token", ColumnKind::number},
                    {"weights", ColumnKind::number},
                    {"pipelines", ColumnKind::number},
                    {"on the device", ColumnKind::number},
                    {"on the host, at most", ColumnKind::number}},
                   {}};
    double full = 0;
    for (const BenchFile &file : files) full = std::max(full, file.first_token_seconds);
    const std::vector<std::string> names = run_names(files);
    const std::vector<bool> is_baseline = baselines(files);
    for (std::size_t i = 0; i < files.size(); ++i) {
        const BenchFile &file = files[i];
        const BarMark bar = {file.first_token_seconds, full, 0, 0, is_baseline[i]};
        table.rows.push_back({{names[i]},
                              {"", Tone::plain, bar},
                              {seconds_text(file.first_token_seconds)},
                              {seconds_text(file.load_seconds)},
                              {seconds_text(file.pipeline_seconds)},
                              {bytes_text(file.device_bytes)},
                              {file.peak_host_bytes ? bytes_text(*file.peak_host_bytes) : "-"}});
    }
    section.tables.push_back(std::move(table));
    return section;
}

} // namespace program::report
