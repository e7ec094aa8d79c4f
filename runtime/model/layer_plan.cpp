#include "runtime/model/layer_plan.h"

#include <fmt/format.h>

namespace ff::model {

Result<void> LayerPlan::mix_project(const char *norm, std::uint32_t norm_at, const char *kept,
                                    std::vector<kernels::MixSegment> segments) {
    const kernels::Variant *own = variant("mix_project", *segments.front().matrix);
    FF_TRY_ASSIGN(std::vector<kernels::Launch> launches,
                  kernels::mix_project(step(), {.variant = own,
                                                .layer = number(),
                                                .x = get("x"),
                                                .norm_at = norm_at,
                                                .norm_name = fmt::format("blocks.{}.{}", layer_, norm),
                                                .state = state_,
                                                .kept_offset = state_offset(kept),
                                                .kept_name = kept,
                                                .segments = std::move(segments)}));
    append(std::move(launches));
    return {};
}

void LayerPlan::project_add(const kernels::Matrix &matrix, const kernels::Activation &input,
                            const kernels::Activation &gate) {
    append(kernels::project_add(step(), {.variant = variant("project_add", matrix),
                                         .layer = number(),
                                         .matrix = &matrix,
                                         .input = input,
                                         .gate = gate,
                                         .x = get("x")}));
}

void LayerPlan::append(std::vector<kernels::Launch> launches) {
    std::move(launches.begin(), launches.end(), std::back_inserter(launches_));
}

} // namespace ff::model
