#include "doctor_report.h"

#include "device_text.h"
#include "failure.h"
#include "system.h"

#include <map>

#include <fmt/format.h>

namespace program {
namespace {

const char *outcome_name(ff_outcome outcome) {
    switch (outcome) {
    case FF_OUTCOME_PASSED:
        return "passed";
    case FF_OUTCOME_FAILED:
        return "failed";
    case FF_OUTCOME_NOT_TESTED:
        break;
    }
    return "not tested";
}

std::vector<ff_variant_result> variants_of(const DoctorReport &report) {
    std::vector<ff_variant_result> all;
    for (std::size_t i = 0; i < report.test->variant_count(); ++i) all.push_back(report.test->variant(i));
    return all;
}

std::vector<ff_limit_result> limits_of(const DoctorReport &report) {
    std::vector<ff_limit_result> all;
    for (std::size_t i = 0; i < report.test->limit_count(); ++i) all.push_back(report.test->limit(i));
    return all;
}

Json variant_json(const ff_variant_result &result) {
    Json json = {{"kernel", result.kernel}, {"variant", result.variant}, {"outcome", outcome_name(result.outcome)},
                 {"launches", result.launches}};
    if (result.outcome != FF_OUTCOME_FAILED) return json;
    json["where"] = result.where;
    if (*result.trouble != '\0') {
        json["trouble"] = result.trouble;
        return json;
    }
    json["output"] = result.output;
    json["element"] = result.element;
    json["expected"] = result.expected;
    json["found"] = result.found;
    return json;
}

std::string failure_text(const ff_variant_result &result) {
    const std::string what = *result.trouble != '\0'
                                 ? std::string(result.trouble)
                                 : fmt::format("{}, element {}: expected {:.9g}, found {:.9g}", result.output,
                                               result.element, result.expected, result.found);
    return fmt::format("FAILED  {}.{}: {} ({})\n", result.kernel, result.variant, what, result.where);
}

std::string kernel_table(const std::vector<ff_variant_result> &results) {
    std::vector<std::string> order;
    std::map<std::string, std::map<ff_outcome, int>> counts;
    for (const ff_variant_result &result : results) {
        if (counts.find(result.kernel) == counts.end()) order.emplace_back(result.kernel);
        ++counts[result.kernel][result.outcome];
    }
    std::string out = fmt::format("{:<20}{:>10}{:>10}{:>12}\n", "kernel, variants", "passed", "failed", "not tested");
    for (const std::string &kernel : order) {
        std::map<ff_outcome, int> &of = counts[kernel];
        out += fmt::format("{:<20}{:>10}{:>10}{:>12}\n", kernel, of[FF_OUTCOME_PASSED], of[FF_OUTCOME_FAILED],
                           of[FF_OUTCOME_NOT_TESTED]);
    }
    return out;
}

std::string limits_text(const std::vector<ff_limit_result> &limits) {
    std::string out;
    for (const ff_limit_result &limit : limits)
        out += fmt::format("{}  {}: {}{}{}\n", limit.passed != 0 ? "passed" : "FAILED", limit.name,
                           bytes_text(limit.claimed_bytes),
                           limit.tried_bytes == limit.claimed_bytes ? "" : ", tried " + bytes_text(limit.tried_bytes),
                           limit.passed != 0 ? "" : fmt::format(": {}", printable(limit.trouble)));
    return out;
}

std::string validation_text(const DoctorReport &report) {
    if (!report.no_validation.empty()) return fmt::format("        validation: not run ({})\n", printable(report.no_validation));
    std::string first;
    const std::uint64_t count = report.test->validation_messages(&first);
    if (count == 0) return "passed  validation: no messages\n";
    return fmt::format("FAILED  validation: {} messages, the first: {}\n", count, printable(first));
}

std::string soak_text(const DoctorReport &report) {
    if (!report.soak_failure.empty()) return fmt::format("FAILED  soak: {}\n", printable(report.soak_failure));
    if (!report.soak) return {};
    return fmt::format("{}  soak: {:.0f} s, {} rounds, {} tokens, {}\n", report.soak->passed() ? "passed" : "FAILED",
                       report.soak->seconds, report.soak->rounds, grouped(report.soak->tokens),
                       report.soak->passed() ? "the same bits each time" : report.soak->trouble);
}

std::string verdict(const DoctorReport &report, std::size_t failed, std::size_t untested) {
    std::string out;
    if (report.denied > 0)
        out += fmt::format("\n{} variants are on the deny list in {} and not used from now on.\n", report.denied,
                           report.cache_directory);
    if (!report.deny_failure.empty())
        out += fmt::format("\nThe deny list could not be written: {}{}.\n", printable(report.deny_failure),
                           failed > 0 ? "; what failed will be used again" : "");
    if (failed > 0 && report.cache_directory.empty())
        out += "\nThere is no cache folder to keep a deny list in (FIREFINCH_CACHE_DIR), so what failed will be used again.\n";
    if (untested > 0 && report.quick) out += fmt::format("\n{} variants were not tested: run it without --quick.\n", untested);
    return out + (report.passed() ? (report.quick ? "\nNothing of what was tested failed.\n" : "\nThis device computes rightly.\n")
                                  : "\nSomething failed. Please attach the report of --json to an issue.\n");
}

} // namespace

bool DoctorReport::passed() const {
    for (const ff_variant_result &result : variants_of(*this))
        if (result.outcome == FF_OUTCOME_FAILED) return false;
    for (const ff_limit_result &limit : limits_of(*this))
        if (limit.passed == 0) return false;
    return test->validation_messages() == 0 && soak_failure.empty() && (!soak || soak->passed());
}

Json DoctorReport::to_json() const {
    Json json = report_json("firefinch-doctor/1");
    json["device"] = device_json(device, profile, traits);
    json["device"]["uuid"] = device.uuid;
    json["device"]["driver_version_number"] = device.driver_version;
    json["host"] = {{"os", or_null(host_os())}, {"cpu", or_null(host_cpu())}};
    json["passed"] = passed();
    json["quick"] = quick;
    json["seconds"] = seconds;
    json["variants"] = Json::array();
    for (const ff_variant_result &result : variants_of(*this)) json["variants"].push_back(variant_json(result));
    json["limits"] = Json::array();
    for (const ff_limit_result &limit : limits_of(*this))
        json["limits"].push_back({{"name", limit.name},
                                  {"claimed_bytes", limit.claimed_bytes},
                                  {"tried_bytes", limit.tried_bytes},
                                  {"passed", limit.passed != 0},
                                  {"trouble", or_null(limit.trouble)}});
    std::string first;
    const std::uint64_t messages = test->validation_messages(&first);
    json["validation"] = {{"run", no_validation.empty()},
                          {"reason", or_null(no_validation)},
                          {"messages", messages},
                          {"first", or_null(first)}};
    json["soak"] = nullptr;
    if (soak)
        json["soak"] = {{"seconds", soak->seconds},
                        {"rounds", soak->rounds},
                        {"tokens", soak->tokens},
                        {"passed", soak->passed()},
                        {"trouble", or_null(soak->trouble)}};
    if (!soak_failure.empty()) json["soak"] = {{"passed", false}, {"trouble", soak_failure}};
    json["denied"] = denied;
    json["deny_failure"] = or_null(deny_failure);
    return json;
}

std::string DoctorReport::to_text(bool verbose) const {
    const std::vector<ff_variant_result> results = variants_of(*this);
    std::size_t failed = 0, untested = 0;
    std::string failures, each;
    for (const ff_variant_result &result : results) {
        failed += result.outcome == FF_OUTCOME_FAILED;
        untested += result.outcome == FF_OUTCOME_NOT_TESTED;
        if (result.outcome == FF_OUTCOME_FAILED) failures += failure_text(result);
        if (verbose)
            each += fmt::format("        {}.{}: {}, {} launches\n", result.kernel, result.variant,
                                outcome_name(result.outcome), result.launches);
    }
    return fmt::format("{}, {} {}{}\n\n", device.name, device.driver, device.driver_info,
                       profile == "native" ? "" : fmt::format(", profile {}", profile)) +
           kernel_table(results) + "\n" + each + failures + limits_text(limits_of(*this)) + validation_text(*this) +
           soak_text(*this) + verdict(*this, failed, untested);
}

} // namespace program
