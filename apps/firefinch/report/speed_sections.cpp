// Tokens/s: as measured, beside the baseline, beside the device's limit, and by the size of the model.
#include "report/compare.h"
#include "report/runs.h"
#include "report/sections.h"

#include "numbers.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include <fmt/format.h>

namespace program::report {
namespace {

// The decode of one session that stands for a model's speed: the first in the file.
const BenchTest *single_decode(const BenchFile &file) {
    const auto found = std::find_if(file.results.begin(), file.results.end(),
                                    [](const BenchTest &test) { return test.test == "decode" && test.batch == 1; });
    return found == file.results.end() ? nullptr : &*found;
}

// Tokens/s at which the device would do nothing but read what a decode step must.
double limit_of(const BenchFile &file) {
    return file.read_bytes_per_second / static_cast<double>(file.model.bytes_read_per_token);
}

Table speed_table(const std::vector<BenchFile> &files, const std::vector<std::string> &names,
                  const std::vector<bool> &is_baseline, const BenchTest &like) {
    Table table = {test_title(like),
                   {{"run", ColumnKind::name},
                    {"", ColumnKind::picture},
                    {"tokens/s", ColumnKind::number},
                    {"min", ColumnKind::number},
                    {"max", ColumnKind::number},
                    {"samples", ColumnKind::number},
                    {"of roofline", ColumnKind::number}},
                   {}};
    double full = 0;
    for (const BenchFile &file : files)
        for (const BenchTest &test : file.results)
            if (test.same_test(like)) full = std::max(full, test.tokens_per_second.most);
    for (std::size_t i = 0; i < files.size(); ++i)
        for (const BenchTest &test : files[i].results) {
            if (!test.same_test(like)) continue;
            const Spread &speed = test.tokens_per_second;
            const BarMark bar = {speed.median, full, speed.least, speed.most, is_baseline[i]};
            table.rows.push_back({{names[i]},
                                  {"", Tone::plain, bar},
                                  {speed_text(speed.median)},
                                  {speed_text(speed.least)},
                                  {speed_text(speed.most)},
                                  {grouped(test.repeats)},
                                  {percent_or_none(test.bandwidth_fraction)}});
        }
    return table;
}

Tone tone_of(Verdict verdict) {
    if (verdict == Verdict::slower) return Tone::worse;
    return verdict == Verdict::faster ? Tone::better : Tone::plain;
}

// A tenth to each side at least, so that noise does not look like a change.
double reach_of(const std::vector<Difference> &all) {
    double reach = 1.1;
    for (const Difference &difference : all) {
        const Interval ends =
            difference.speed.interval.value_or(Interval{difference.speed.ratio, difference.speed.ratio});
        reach = std::max({reach, ends.high, 1 / ends.low});
    }
    return reach;
}

Table difference_table(const std::vector<Difference> &all, const std::string &name, double tolerance) {
    Table table = {name,
                   {{"test", ColumnKind::name},
                    {"", ColumnKind::picture},
                    {"baseline tokens/s", ColumnKind::number},
                    {"tokens/s", ColumnKind::number},
                    {"change", ColumnKind::number},
                    {"95 % interval", ColumnKind::range},
                    {"verdict", ColumnKind::text},
                    {"host time", ColumnKind::number},
                    {"host interval", ColumnKind::range}},
                   {}};
    const double reach = reach_of(all);
    for (const Difference &difference : all) {
        const Change &speed = difference.speed;
        const Interval ends = speed.interval.value_or(Interval{speed.ratio, speed.ratio});
        const ChangeTexts texts = change_texts(speed.ratio, speed.interval);
        ChangeTexts host = {"-", "-"};
        Tone host_tone = Tone::plain;
        if (difference.host) {
            host = change_texts(difference.host->ratio, difference.host->interval);
            host_tone = tone_of(difference.host->verdict);
        }
        table.rows.push_back({{test_title(*difference.test)},
                              {"", Tone::plain, {}, RatioMark{speed.ratio, ends.low, ends.high, reach, tolerance}},
                              {speed_text(difference.base->tokens_per_second.median)},
                              {speed_text(difference.test->tokens_per_second.median)},
                              {texts.change, tone_of(speed.verdict)},
                              {texts.interval},
                              {verdict_name(speed.verdict), tone_of(speed.verdict)},
                              {host.change, host_tone},
                              {host.interval}});
    }
    return table;
}

std::string size_text(const BenchFile &file) {
    return fmt::format("{}, {}", file.model.name, file.model.weights);
}

// What has one limit, whatever it runs: a device under one driver.
using Driver = std::tuple<std::string, std::string, std::string>;
Driver driver_of(const BenchFile &file) {
    return {file.device.name, file.device.driver, file.device.driver_version};
}

// The device as it stands in the legend and the table: with driver and version where it was measured under several.
std::string device_and_driver(const BenchFile &file, const std::vector<BenchFile> &files) {
    std::string text = device_of(file);
    for (const auto member : {&BenchFile::Device::driver, &BenchFile::Device::driver_version}) {
        const bool several = std::any_of(files.begin(), files.end(), [&](const BenchFile &other) {
            return other.device.name == file.device.name && other.device.*member != file.device.*member;
        });
        if (several && !(file.device.*member).empty()) text += ", " + file.device.*member;
    }
    return text;
}

// The same of each run; where one model was measured twice under one driver, with the file, and with the run if it was twice in
// the file: two measurements are never one line of the plot, nor two rows that look alike.
std::vector<std::string> device_names(const std::vector<BenchFile> &files) {
    std::vector<std::string> names;
    using Model = std::tuple<std::string, std::string, std::string, std::string, std::uint64_t, std::uint64_t, std::uint64_t>;
    std::map<Model, std::set<const BenchSource *>> seen; // by the device's name and what makes a model the same
    std::set<std::string> by_file, by_run;
    for (const BenchFile &file : files) {
        names.push_back(device_and_driver(file, files));
        const BenchFile::Model &model = file.model;
        std::set<const BenchSource *> &before =
            seen[{names.back(), model.name, model.weights, model.version, model.layers, model.width, model.vocabulary}];
        if (!before.empty()) (before.contains(file.source.get()) ? by_run : by_file).insert(names.back());
        before.insert(file.source.get());
    }
    const std::vector<std::string> sources = source_names(files);
    for (std::size_t i = 0; i < files.size(); ++i) {
        const bool file = by_file.contains(names[i]), run = by_run.contains(names[i]);
        if (file) names[i] += ", " + sources[i];
        if (run) names[i] += fmt::format(", run {}", i + 1);
    }
    return names;
}

} // namespace

Section speed_section(const std::vector<BenchFile> &files) {
    Section section = {"Tokens per second",
                       "Medians over the repeats, with the slowest and the fastest. Of roofline: the bytes a decode "
                       "step must read times tokens/s, over the read bandwidth measured on the device in the same "
                       "run. Tokens of a prompt or of a batch share one reading of the weights, so theirs may be "
                       "above 100 %."};
    const std::vector<std::string> names = run_names(files);
    const std::vector<bool> is_baseline = baselines(files);
    for (const BenchTest &test : all_tests(files)) section.tables.push_back(speed_table(files, names, is_baseline, test));
    return section;
}

Section difference_section(const std::vector<BenchFile> &files, double tolerance) {
    Section section = {"Differences to the baseline"};
    const std::vector<bool> is_baseline = baselines(files);
    if (std::count(is_baseline.begin(), is_baseline.end(), true) == 0) return section;
    const std::vector<std::string> names = run_names(files);
    const bool several = std::count(is_baseline.begin() + 1, is_baseline.end(), true) > 0;
    section.lead = fmt::format("Baseline is {}. Change is the ratio of the medians of tokens/s, with a 95 % interval "
                               "bootstrapped from the samples of both runs. Slower and faster are said only where the whole "
                               "interval lies more than {:.3g} % from no change (the shaded band).",
                               several ? "the first run of the same model" : "run " + names[0], tolerance * 100);
    for (std::size_t i = 1; i < files.size(); ++i) {
        const std::optional<std::size_t> first = baseline_of(files, i);
        if (!first) {
            if (!is_baseline[i])
                section.notes.push_back(fmt::format("Run {} has a model of another shape: not compared.", names[i]));
            continue;
        }
        const std::size_t base = *first;
        const std::vector<Difference> all = differences(files[base], files[i], tolerance);
        if (all.empty()) {
            section.notes.push_back(fmt::format("Run {} has no test that the baseline has.", names[i]));
            continue;
        }
        if (other_conditions(files[base], files[i]))
            section.notes.push_back(fmt::format("Run {}: {}.", names[i], conditions_text(files[base], files[i])));
        section.tables.push_back(
            difference_table(all, several ? fmt::format("{}; baseline: run {}", names[i], base + 1) : names[i], tolerance));
    }
    return section;
}

Section roofline_section(const std::vector<BenchFile> &files) {
    Section section = {
        "Fraction of the device's own roofline",
        "Decode of one session. The whole length is what the device's measured read bandwidth would allow. A "
        "model that fits into the device's caches can be read faster than memory: above 100 %."};
    Table table = {"",
                   {{"run", ColumnKind::name},
                    {"", ColumnKind::picture},
                    {"of roofline", ColumnKind::number},
                    {"tokens/s", ColumnKind::number},
                    {"tokens/s at the limit", ColumnKind::number},
                    {"read a token", ColumnKind::number},
                    {"read bandwidth", ColumnKind::number}},
                   {}};
    const std::vector<std::string> names = run_names(files);
    const std::vector<bool> is_baseline = baselines(files);
    for (std::size_t i = 0; i < files.size(); ++i) {
        const BenchTest *test = single_decode(files[i]);
        if (test == nullptr || !test->bandwidth_fraction) continue;
        const double fraction = *test->bandwidth_fraction;
        table.rows.push_back({{names[i]},
                              {"", Tone::plain, BarMark{std::min(fraction, 1.0), 1, 0, 0, is_baseline[i]}},
                              {percent_text(fraction)},
                              {speed_text(test->tokens_per_second.median)},
                              {speed_text(limit_of(files[i]))},
                              {bytes_text(files[i].model.bytes_read_per_token)},
                              {scaled_text(files[i].read_bytes_per_second) + "B/s"}});
    }
    if (!table.rows.empty()) section.tables.push_back(std::move(table));
    return section;
}

Section scaling_section(const std::vector<BenchFile> &files) {
    Section section = {"Scaling with model size",
                       "Decode of one session. Both axes are logarithmic; a dashed line is the device's measured read "
                       "bandwidth, the limit of reading every weight once a token."};
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < files.size(); ++i)
        if (single_decode(files[i]) != nullptr) order.push_back(i);
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return files[a].model.bytes_read_per_token < files[b].model.bytes_read_per_token;
    });
    if (order.empty() ||
        files[order.front()].model.bytes_read_per_token == files[order.back()].model.bytes_read_per_token)
        return section;

    Plot plot = {"bytes to read a token", "tokens/s", {}};
    Table table = {"",
                   {{"model", ColumnKind::name},
                    {"device", ColumnKind::text},
                    {"parameters", ColumnKind::number},
                    {"read a token", ColumnKind::number},
                    {"tokens/s", ColumnKind::number},
                    {"of roofline", ColumnKind::number}},
                   {}};
    std::map<std::string, std::size_t> series_of;
    std::map<Driver, double> limits; // the best that any run measured
    for (const std::size_t i : order) {
        double &limit = limits[driver_of(files[i])];
        limit = std::max(limit, files[i].read_bytes_per_second);
    }
    std::set<Driver> drawn;
    const std::vector<std::string> devices = device_names(files);
    for (const std::size_t i : order) {
        const BenchFile &file = files[i];
        const BenchTest &test = *single_decode(file);
        const std::string name = fmt::format("{}, {}", devices[i], file.model.weights);
        const auto [found, added] = series_of.emplace(name, plot.series.size());
        if (added) {
            const bool first = drawn.insert(driver_of(file)).second;
            const double limit = limits[driver_of(file)];
            plot.series.push_back({name,
                                   first ? fmt::format("dashed: the device reads {}B/s", scaled_text(limit)) : "",
                                   {},
                                   first ? limit : 0});
        }
        plot.series[found->second].points.push_back(
            {static_cast<double>(file.model.bytes_read_per_token), test.tokens_per_second.median, size_text(file)});
        table.rows.push_back({{size_text(file)},
                              {devices[i]},
                              {grouped(file.model.parameters)},
                              {bytes_text(file.model.bytes_read_per_token)},
                              {speed_text(test.tokens_per_second.median)},
                              {percent_or_none(test.bandwidth_fraction)}});
    }
    section.plot = std::move(plot);
    section.tables.push_back(std::move(table));
    return section;
}

} // namespace program::report
