#include "runtime/model/layer_plan.h"

#include <fmt/format.h>

namespace ff::model {

LayerPlan::LayerPlan(const LayerContext &context, std::int32_t layer) : context_(context), layer_(layer) {
    if (layer >= 0) state_ = context.states->layer(static_cast<std::uint32_t>(layer));
}

std::unique_ptr<LayerPlan> LayerPlan::create(const LayerContext &context, std::int32_t layer) {
    return context.step.rows == 1 ? make_decode_layer(context, layer) : make_wide_layer(context, layer);
}

Result<void> LayerPlan::sparse_value(const kernels::Matrix &matrix, const kernels::Activation &input,
                                     const kernels::Activation &gate) {
    if (!matrix.by_input) return project_add(matrix, input, gate); // sparse_value is denied
    FF_TRY_ASSIGN(std::vector<kernels::Launch> launches,
                  kernels::sparse_value(step(), {layer_, &matrix, input, gate, get("x")}));
    append(std::move(launches));
    return {};
}

std::string LayerPlan::norm_name(const char *norm) const {
    return fmt::format("blocks.{}.{}", layer_, norm);
}

void LayerPlan::append(std::vector<kernels::Launch> launches) {
    std::move(launches.begin(), launches.end(), std::back_inserter(launches_));
}

} // namespace ff::model
