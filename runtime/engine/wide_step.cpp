#include "runtime/engine/wide_step.h"

#include "shaders/lib/interface.h"

namespace ff::engine {
namespace {

void append(std::vector<kernels::Launch> &launches, const model::Plan &plan) {
    launches.insert(launches.end(), plan.launches.begin(), plan.launches.end());
}

} // namespace

Result<std::unique_ptr<WideStep>> WideStep::create(Engine &engine, std::unique_ptr<model::WidePlan> plan) {
    FF_TRY_ASSIGN(std::unique_ptr<WideStep> step, create(engine, *plan));
    step->kept_ = std::move(plan);
    return step;
}

Result<std::unique_ptr<WideStep>> WideStep::create(Engine &engine, const model::WidePlan &plan) {
    std::unique_ptr<WideStep> step(new WideStep(engine, plan));
    std::vector<kernels::Launch> launches;
    append(launches, plan.body);
    append(launches, plan.end);
    FF_TRY_ASSIGN(const std::vector<const gpu::Pipeline *> pipelines, engine.compile(launches, {}));
    FF_TRY_ASSIGN(step->read_, StepCommands::record(engine.device(), "wide step", launches, pipelines, plan.rows));
    return step;
}

Result<const StepCommands *> WideStep::read_with_logits(std::uint32_t vocabulary) {
    if (!read_with_logits_.handles().empty()) return &read_with_logits_;
    const std::uint64_t bytes = std::uint64_t{4} * rows() * vocabulary;
    FF_TRY_ASSIGN(logits_, gpu::Buffer::create(engine_.device(), gpu::MemoryKind::readback, bytes, "all logits"));
    std::vector<kernels::Launch> launches;
    append(launches, plan_.body);
    for (kernels::Launch launch : plan_.all_logits.launches) {
        if (launch.buffers.size() > shader::kMatmulOut) launch.buffers[shader::kMatmulOut] = logits_.view();
        for (kernels::NamedUse &use : launch.uses)
            if (use.view.buffer == VK_NULL_HANDLE) use.view = logits_.view();
        launches.push_back(std::move(launch));
    }
    append(launches, plan_.end);
    FF_TRY_ASSIGN(const std::vector<const gpu::Pipeline *> pipelines, engine_.compile(launches, {}));
    FF_TRY_ASSIGN(read_with_logits_,
                  StepCommands::record(engine_.device(), "wide step with logits", launches, pipelines, rows()));
    return &read_with_logits_;
}

} // namespace ff::engine
