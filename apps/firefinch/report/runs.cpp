#include "report/runs.h"

#include "numbers.h"

#include <algorithm>
#include <functional>
#include <map>

#include <fmt/format.h>

namespace program::report {
namespace {

// Nothing for a device as it is.
std::string profile_text(const BenchFile &file) {
    const std::string &profile = file.device.profile;
    return profile.empty() || profile == "native" ? std::string() : fmt::format("profile {}", profile);
}

// What can tell two runs apart, in the order in which a reader would look for it.
using Trait = std::function<std::string(const BenchFile &)>;
const std::vector<Trait> &traits() {
    static const std::vector<Trait> all = {
        [](const BenchFile &file) { return file.model.name; },
        [](const BenchFile &file) { return file.model.weights; },
        [](const BenchFile &file) { return file.device.name; },
        [](const BenchFile &file) { return profile_text(file); },
        [](const BenchFile &file) { return file.device.driver; },
        [](const BenchFile &file) { return file.device.driver_version; },
        [](const BenchFile &file) { return file.firefinch; },
    };
    return all;
}

bool differs(const std::vector<BenchFile> &files, const Trait &trait) {
    return std::any_of(files.begin(), files.end(), [&](const BenchFile &f) { return trait(f) != trait(files[0]); });
}

} // namespace

std::vector<std::string> run_names(const std::vector<BenchFile> &files) {
    if (files.size() == 1) return {fmt::format("{}, {}", files[0].model.name, files[0].model.weights)};
    std::vector<Trait> telling;
    for (const Trait &trait : traits())
        if (differs(files, trait)) telling.push_back(trait);
    std::vector<std::string> names;
    for (const BenchFile &file : files) {
        std::vector<std::string> parts;
        for (const Trait &trait : telling)
            if (std::string part = trait(file); !part.empty()) parts.push_back(part);
        if (telling.empty()) parts.push_back(file.file_name());
        names.push_back(fmt::format("{}: {}", names.size() + 1, fmt::join(parts, ", ")));
    }
    return names;
}

std::vector<std::string> source_names(const std::vector<BenchFile> &files) {
    const auto other = [&](const BenchFile &file) { return file.source != files[0].source; };
    const bool several = std::any_of(files.begin(), files.end(), other);
    std::map<const BenchSource *, std::size_t> numbers; // one file may be given twice
    std::vector<std::string> names;
    for (const BenchFile &file : files) {
        const std::size_t number = numbers.emplace(file.source.get(), numbers.size() + 1).first->second;
        names.push_back(file.source->file_name() + (several ? fmt::format(" (file {})", number) : ""));
    }
    return names;
}

std::optional<std::size_t> baseline_of(const std::vector<BenchFile> &files, std::size_t run) {
    const BenchFile &file = files[run];
    std::optional<std::size_t> shape;
    for (std::size_t i = 0; i < run; ++i) {
        if (!files[i].same_model(file)) continue;
        if (files[i].model.name == file.model.name && files[i].model.weights == file.model.weights) return i;
        if (!shape) shape = i;
    }
    return shape;
}

std::vector<bool> baselines(const std::vector<BenchFile> &files) {
    std::vector<bool> all(files.size());
    for (std::size_t i = 0; i < files.size(); ++i)
        if (const std::optional<std::size_t> base = baseline_of(files, i)) all[*base] = true;
    return all;
}

std::string device_of(const BenchFile &file) {
    const std::string profile = profile_text(file);
    return profile.empty() ? file.device.name : fmt::format("{}, {}", file.device.name, profile);
}

std::string test_code(const BenchTest &test) {
    return fmt::format("{}{}{}", test.test == "decode" ? "tg" : "pp", test.tokens,
                       test.batch > 1 ? fmt::format(" x{}", test.batch) : "");
}

std::string test_title(const BenchTest &test) {
    return fmt::format("{} of {} token{}{} ({})", test.test == "decode" ? "Decode" : "Prefill", test.tokens,
                       test.tokens == 1 ? "" : "s", test.batch > 1 ? fmt::format(", {} sessions", test.batch) : "",
                       test_code(test));
}

std::vector<BenchTest> all_tests(const std::vector<BenchFile> &files) {
    std::vector<BenchTest> all;
    for (const BenchFile &file : files)
        for (const BenchTest &test : file.results)
            if (std::none_of(all.begin(), all.end(), [&](const BenchTest &seen) { return seen.same_test(test); }))
                all.push_back(test);
    return all;
}

std::string conditions_text(const BenchFile &base, const BenchFile &file) {
    return fmt::format("the device read {}B/s, in the baseline {}B/s; conditions were not the same, which no interval "
                       "accounts for",
                       scaled_text(file.read_bytes_per_second), scaled_text(base.read_bytes_per_second));
}

std::string figure(const std::optional<double> &value, int decimals) {
    return value ? fmt::format("{:.{}f}", *value, decimals) : "-";
}

std::string percent_or_none(const std::optional<double> &fraction) {
    return fraction ? percent_text(*fraction) : "-";
}

ChangeTexts change_texts(double ratio, const std::optional<Interval> &interval) {
    const Interval ends = interval.value_or(Interval{ratio, ratio});
    const bool near = std::min(ratio, ends.low) > 0.5 && std::max(ratio, ends.high) < 2;
    const auto text = [&](double value) {
        return near ? fmt::format("{:+.1f} %", (value - 1) * 100) : fmt::format("x{:.3g}", value);
    };
    return {text(ratio), interval ? fmt::format("{} to {}", text(ends.low), text(ends.high)) : "-"};
}

} // namespace program::report
