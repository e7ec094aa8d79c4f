// The page as a whole: its title, its sections in their order, what ran where, and how it was measured.
#include "report/compare.h"
#include "report/runs.h"
#include "report/sections.h"

#include "numbers.h"

#include <algorithm>

#include <fmt/format.h>

namespace program::report {
namespace {

std::string or_dash(const std::string &text) {
    return text.empty() ? "-" : text;
}

std::string traits_text(const BenchFile &file) {
    std::string out;
    for (const auto &[name, value] : file.device.traits)
        out += fmt::format("{}{} {}", out.empty() ? "" : ", ", name, value);
    return or_dash(out);
}

std::string tuning_text(const BenchFile &file) {
    if (!file.tuned) return "-";
    return *file.tuned ? "tuned" : "the table's values";
}

std::string denied_text(const BenchFile &file) {
    if (!file.denied) return "-";
    return file.denied->empty() ? "none" : fmt::format("{}", fmt::join(*file.denied, ", "));
}

// Its score, and what was cut down or left out: runs that a reader would miss, and the score lacks.
Table suite_table(const BenchSource::Suite &suite, const std::string &name) {
    Table table = {"Suite in " + name, {{"fact", ColumnKind::name}, {"value", ColumnKind::text}}, {}, true};
    table.rows.push_back(
        {{"score"},
         {suite.score ? fmt::format("{:.1f} ({} of {} tests)", *suite.score, suite.scored_tests, suite.tests) : "none"}});
    for (const std::string &sentence : suite.cut) table.rows.push_back({{"cut"}, {sentence}});
    return table;
}

// Runs of the same device under the same driver stand in one row.
bool same_device(const BenchFile &a, const BenchFile &b) {
    const BenchFile::Device &x = a.device, &y = b.device;
    return x.name == y.name && x.vendor == y.vendor && x.driver == y.driver && x.driver_version == y.driver_version &&
           x.api_version == y.api_version && x.type == y.type && x.profile == y.profile &&
           x.memory_bytes == y.memory_bytes && x.traits == y.traits && a.host_os == b.host_os &&
           a.host_cpu == b.host_cpu;
}

std::string page_title(const std::vector<BenchFile> &files) {
    const std::string &name = files[0].device.name;
    const auto other =
        std::find_if(files.begin(), files.end(), [&](const BenchFile &file) { return file.device.name != name; });
    if (other == files.end()) return fmt::format("RWKV on {}", name);
    return "RWKV, device by device";
}

std::string page_lead(const std::vector<BenchFile> &files) {
    const BenchFile::Model &model = files[0].model;
    if (files.size() == 1)
        return fmt::format("{}, RWKV-{}, {} weights, measured by firefinch bench beside what the device does at best.",
                           model.name, model.version, model.weights);
    const std::vector<bool> is_baseline = baselines(files);
    const bool several = std::count(is_baseline.begin() + 1, is_baseline.end(), true) > 0;
    return fmt::format("{} runs of firefinch bench, each measured beside what the device did at best in the same run.{}",
                       files.size(),
                       several          ? " The first run of each model is the baseline."
                       : is_baseline[0] ? " The first is the baseline."
                                        : "");
}

} // namespace

Section run_section(const std::vector<BenchFile> &files) {
    Section section = {"Runs",
                       "Tuned: launches of a decode step had values that firefinch tune measured on the device, not the table's "
                       "alone."};
    Table table = {"",
                   {{"run", ColumnKind::name},
                    {"model", ColumnKind::text},
                    {"parameters", ColumnKind::number},
                    {"layers, width", ColumnKind::number},
                    {"vocabulary", ColumnKind::number},
                    {"file", ColumnKind::text},
                    {"measured", ColumnKind::text},
                    {"firefinch", ColumnKind::text},
                    {"tuning", ColumnKind::text}},
                   {}};
    const bool denied = std::any_of(files.begin(), files.end(),
                                    [](const BenchFile &file) { return file.denied && !file.denied->empty(); });
    if (denied) {
        table.columns.push_back({"denied", ColumnKind::text});
        section.lead += " Denied: kernel variants that were ruled out on the device, where others ran in their place.";
    }
    const std::vector<std::string> names = run_names(files);
    const std::vector<bool> is_baseline = baselines(files);
    for (std::size_t i = 0; i < files.size(); ++i) {
        const BenchFile &file = files[i];
        table.rows.push_back({{fmt::format("{}{}", names[i], is_baseline[i] ? " (baseline)" : "")},
                              {fmt::format("{}, RWKV-{}, {}", file.model.name, file.model.version, file.model.weights)},
                              {grouped(file.model.parameters)},
                              {fmt::format("{}, {}", file.model.layers, file.model.width)},
                              {grouped(file.model.vocabulary)},
                              {file.file_name()},
                              {file.time},
                              {file.firefinch},
                              {tuning_text(file)}});
        if (denied) table.rows.back().push_back({denied_text(file)});
    }
    section.tables.push_back(std::move(table));
    const std::vector<std::string> sources = source_names(files);
    for (std::size_t i = 0; i < files.size(); ++i)
        if (files[i].source->suite && (i == 0 || files[i].source != files[i - 1].source)) // a suite's runs are together
            section.tables.push_back(suite_table(*files[i].source->suite, sources[i]));
    return section;
}

Section device_section(const std::vector<BenchFile> &files) {
    Section section = {"Devices and drivers"};
    for (std::size_t i = 0; i < files.size(); ++i) {
        const auto same = [&](const BenchFile &file) { return same_device(file, files[i]); };
        if (std::find_if(files.begin(), files.end(), same) != files.begin() + static_cast<std::ptrdiff_t>(i)) continue;
        const BenchFile &file = files[i];
        std::vector<std::string> runs, bandwidths, arithmetic, matrices;
        for (std::size_t j = i; j < files.size(); ++j)
            if (same(files[j])) {
                runs.push_back(std::to_string(j + 1));
                bandwidths.push_back(scaled_text(files[j].read_bytes_per_second) + "B/s");
                arithmetic.push_back(scaled_text(files[j].multiply_adds_per_second) + "/s");
                if (const auto rate = files[j].matrix_multiply_adds_per_second) matrices.push_back(scaled_text(*rate) + "/s");
            }
        Table table = {file.device.name, {{"fact", ColumnKind::name}, {"value", ColumnKind::text}}, {}, true};
        const auto add = [&](const char *fact, const std::string &value) {
            table.rows.push_back({{fact}, {or_dash(value)}});
        };
        add(runs.size() > 1 ? "runs" : "run", fmt::format("{}", fmt::join(runs, ", ")));
        add("vendor", file.device.vendor);
        add("type", file.device.type);
        add("driver", file.device.driver);
        add("driver version", file.device.driver_version);
        add("Vulkan", file.device.api_version);
        add("memory", bytes_text(file.device.memory_bytes));
        add("profile", file.device.profile);
        add("reads, measured", fmt::format("{}", fmt::join(bandwidths, ", ")));
        add("multiply-adds, measured", fmt::format("{}", fmt::join(arithmetic, ", ")));
        if (!matrices.empty()) add("multiply-adds by matrices", fmt::format("{}", fmt::join(matrices, ", ")));
        add("system", file.host_os);
        add("processor", file.host_cpu);
        add("traits", traits_text(file));
        section.tables.push_back(std::move(table));
    }
    return section;
}

Section method_section(double tolerance) {
    return {
        "Method",
        "",
        {"All figures are from files that firefinch bench wrote, or derived from them: shares, limits, ratios and "
         "intervals.",
         fmt::format("Intervals: up to 10,000 times, as many samples as each run has are drawn from it with "
                     "replacement. The interval holds the middle 95 % of the ratios of the two medians. The seed is "
                     "fixed. A verdict takes {} samples on each side and the whole interval more than {:.3g} % "
                     "from no change.",
                     kLeastSamples, tolerance * 100),
         "An interval knows what scattered within two runs. What differed between them (temperature, other work, "
         "another driver's settings) looks like a change: measure again, in the other order, before believing a "
         "small one."}};
}

Page page_of(const std::vector<BenchFile> &files, double tolerance) {
    Page page;
    page.title = page_title(files);
    page.lead = page_lead(files);
    page.sections = {speed_section(files)};
    for (Section section :
         {difference_section(files, tolerance), roofline_section(files), scaling_section(files), kernel_section(files),
          host_section(files), startup_section(files), run_section(files), device_section(files)})
        if (!section.empty()) page.sections.push_back(std::move(section));
    page.sections.push_back(method_section(tolerance));
    return page;
}

} // namespace program::report
