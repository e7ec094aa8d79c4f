#include "runtime/model/choices.h"

#include <algorithm>

namespace ff::model {
namespace {

bool same_pipeline(const kernels::Launch &a, const kernels::Launch &b) {
    return a.variant == b.variant && a.constants == b.constants && a.subgroup_size == b.subgroup_size &&
           a.buffers.size() == b.buffers.size() && a.push_constants.size() == b.push_constants.size();
}

void append_new(std::vector<kernels::Launch> &all, const Plan &plan) {
    for (const kernels::Launch &launch : plan.launches)
        if (std::ranges::none_of(all, [&](const kernels::Launch &other) { return same_pipeline(launch, other); }))
            all.push_back(launch);
}

void append_new(std::vector<kernels::Launch> &all, const WidePlan &plan) {
    for (const Plan *part : {&plan.body, &plan.all_logits, &plan.end}) append_new(all, *part);
}

} // namespace

Result<std::vector<kernels::Launch>> chosen_launches(const gpu::DeviceInfo &info, const loader::TensorSource &source,
                                                     const WeightOptions &weights) {
    const std::shared_ptr<gpu::Device> device = gpu::Device::imagine(info);
    FF_TRY_ASSIGN(const loader::ModelDescription description, loader::describe(source));
    FF_TRY_ASSIGN(const std::unique_ptr<LoadedModel> model,
                  LoadedModel::load(device, source, description, {.weights = weights}));
    FF_TRY_ASSIGN(gpu::Uploader uploader, gpu::Uploader::create(device));
    std::vector<kernels::Launch> all;
    append_new(all, model->plan());
    append_new(all, model->prompt_plan());
    for (const std::uint32_t rows : kBatchRows) {
        const std::uint32_t fitting = std::min(rows, model->prompt_plan().rows);
        FF_TRY_ASSIGN(const std::unique_ptr<WidePlan> plan, model->make_wide_plan(device, uploader, fitting, fitting));
        append_new(all, *plan);
    }
    return all;
}

Result<FirstLaunches> first_launches(const gpu::DeviceInfo &info, const loader::TensorSource &source,
                                     const loader::ModelDescription &description, const WeightOptions &weights) {
    FF_TRY_ASSIGN(const std::unique_ptr<LoadedModel> model,
                  LoadedModel::load(gpu::Device::imagine(info), source, description, {.weights = weights}));
    FirstLaunches first;
    append_new(first.decode, model->plan());
    if (!model->reads_wide()) return first;
    append_new(first.prompt, model->prompt_plan().body);
    append_new(first.prompt, model->prompt_plan().end);
    return first;
}

} // namespace ff::model
