#include "write_report.h"

#include "failure.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace program {
namespace {

struct TypeTotal {
    std::string type;
    std::uint64_t tensors = 0, bytes = 0;
};

// Largest first.
std::vector<TypeTotal> totals_of(const firefinch::WriteReport &report) {
    std::vector<TypeTotal> totals;
    for (std::size_t i = 0; i < report.tensor_count(); ++i) {
        const ff_written_tensor tensor = report.tensor(i);
        auto found =
            std::find_if(totals.begin(), totals.end(), [&](const TypeTotal &t) { return t.type == tensor.to; });
        if (found == totals.end()) found = totals.insert(totals.end(), {tensor.to, 0, 0});
        ++found->tensors;
        found->bytes += tensor.bytes;
    }
    std::stable_sort(totals.begin(), totals.end(),
                     [](const TypeTotal &a, const TypeTotal &b) { return a.bytes > b.bytes; });
    return totals;
}

// "blocks.*.att.key.weight is q5_0", and in how many layers.
std::map<std::string, std::uint64_t> fallbacks_of(const firefinch::WriteReport &report) {
    constexpr std::string_view kLayer = "blocks.";
    std::map<std::string, std::uint64_t> counts;
    for (std::size_t i = 0; i < report.tensor_count(); ++i) {
        const ff_written_tensor tensor = report.tensor(i);
        if (tensor.fallback == 0) continue;
        std::string name = printable(tensor.name);
        if (name.starts_with(kLayer)) {
            const std::size_t end = std::min(name.find('.', kLayer.size()), name.size());
            name.replace(kLayer.size(), end - kLayer.size(), "*");
        }
        ++counts[fmt::format("{} is {}", name, tensor.to)];
    }
    return counts;
}

} // namespace

std::string write_report_text(const firefinch::WriteReport &report, const std::string &file, bool dry_run) {
    std::string out;
    for (const TypeTotal &total : totals_of(report))
        out += fmt::format("{:<8} {:>6} tensors {:>18} bytes\n", total.type, total.tensors, grouped(total.bytes));
    for (const auto &[what, layers] : fallbacks_of(report))
        out += fmt::format("{}{}: its rows are no whole blocks of what was asked for\n", what,
                           layers > 1 ? fmt::format(", in {} layers", layers) : "");
    out += fmt::format("{}: {}{} bytes\n", printable(file), dry_run ? "would have " : "", grouped(report.bytes()));
    return out;
}

Json write_report_json(const firefinch::WriteReport &report) {
    Json types = Json::array(), fallbacks = Json::array();
    for (const TypeTotal &total : totals_of(report))
        types.push_back({{"type", total.type}, {"tensors", total.tensors}, {"bytes", total.bytes}});
    for (std::size_t i = 0; i < report.tensor_count(); ++i) {
        const ff_written_tensor tensor = report.tensor(i);
        if (tensor.fallback != 0)
            fallbacks.push_back(
                {{"name", tensor.name}, {"from", tensor.from}, {"to", tensor.to}, {"bytes", tensor.bytes}});
    }
    return {{"bytes", report.bytes()}, {"types", types}, {"fallbacks", fallbacks}};
}

} // namespace program
