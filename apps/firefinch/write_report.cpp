#include "write_report.h"

#include "failure.h"

#include <algorithm>
#include <cstdint>
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

} // namespace

std::string write_report_text(const firefinch::WriteReport &report, const std::string &file, bool dry_run) {
    std::string out;
    for (const TypeTotal &total : totals_of(report))
        out += fmt::format("{:<8} {:>6} tensors {:>18} bytes\n", total.type, total.tensors, grouped(total.bytes));
    for (std::size_t i = 0; i < report.tensor_count(); ++i) {
        const ff_written_tensor tensor = report.tensor(i);
        if (tensor.fallback != 0)
            out += fmt::format("{} is {}: its rows are no whole blocks of what was asked for\n", printable(tensor.name),
                               tensor.to);
    }
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
