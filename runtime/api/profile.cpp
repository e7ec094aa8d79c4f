#include "runtime/api/objects.h"

#include <fmt/format.h>

using namespace ff;

ff_status ff_session_profile(ff_profile_report **out, ff_session *session, uint32_t steps, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !session) return api::null_argument(out ? "session" : "out");
        auto report = std::make_unique<ff_profile_report>();
        FF_TRY_ASSIGN(report->costs, session->session->profile(steps));
        for (const engine::KernelCost &cost : report->costs)
            report->names.emplace_back(cost.variant->kernel, cost.variant->name);
        *out = report.release();
        return {};
    });
}

void ff_profile_report_destroy(ff_profile_report *report) {
    delete report;
}

size_t ff_profile_report_count(const ff_profile_report *report) {
    return report ? report->costs.size() : 0;
}

ff_status ff_profile_report_kernel(const ff_profile_report *report, size_t index, ff_kernel_cost *out,
                                   ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!report || !out) return api::null_argument(report ? "out" : "report");
        if (index >= report->costs.size())
            return Error{Status::argument, fmt::format("kernel {} of {}", index, report->costs.size())};
        const engine::KernelCost &cost = report->costs[index];
        const auto &[kernel, variant] = report->names[index];
        api::to_caller(ff_kernel_cost{sizeof(ff_kernel_cost), kernel.c_str(), variant.c_str(), cost.calls,
                                      cost.microseconds, cost.bytes},
                       out);
        return {};
    });
}
