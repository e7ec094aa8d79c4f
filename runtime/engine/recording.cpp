#include "runtime/engine/recording.h"

#include <fmt/format.h>

namespace ff::engine {

Result<void> record_launch(gpu::Recorder &recorder, const kernels::Launch &launch, const gpu::Pipeline &pipeline) {
    std::vector<gpu::Use> uses;
    for (const kernels::NamedUse &use : launch.uses) uses.push_back({use.view, use.access});
    const std::string label = launch.layer < 0
                                  ? kernels::full_name(*launch.variant)
                                  : fmt::format("layer {} {}", launch.layer, kernels::full_name(*launch.variant));
    return recorder.launch({.pipeline = &pipeline,
                            .buffers = launch.buffers,
                            .push_constants = launch.push_constants,
                            .groups = launch.groups,
                            .uses = uses,
                            .label = label});
}

Result<std::unique_ptr<gpu::CommandBuffer>> record(const std::shared_ptr<gpu::Device> &device, const std::string &name,
                                                   std::span<const kernels::Launch> launches,
                                                   std::span<const gpu::Pipeline *const> pipelines,
                                                   const Timing &timing) {
    FF_TRY_ASSIGN(gpu::Recorder recorder, gpu::Recorder::create(device, name, true));
    if (timing.timestamps) recorder.timestamp(*timing.timestamps, 0);
    std::uint32_t taken = 1;
    for (std::size_t i = 0; i < launches.size(); ++i) {
        FF_TRY(record_launch(recorder, launches[i], *pipelines[i]));
        if (timing.timestamps && (timing.every == Timing::Every::launch || i + 1 == launches.size()))
            recorder.timestamp(*timing.timestamps, taken++);
    }
    FF_TRY_ASSIGN(gpu::CommandBuffer commands, recorder.finish());
    return std::make_unique<gpu::CommandBuffer>(std::move(commands));
}

Result<StepCommands> StepCommands::record(const std::shared_ptr<gpu::Device> &device, const std::string &name,
                                          std::span<const kernels::Launch> launches,
                                          std::span<const gpu::Pipeline *const> pipelines, std::uint32_t rows) {
    StepCommands step;
    step.counts_ = kernels::counts_of(launches);
    const std::uint64_t most = device->traits().most_submission_work;
    for (std::size_t begin = 0; begin < launches.size();) {
        std::size_t end = begin;
        for (std::uint64_t work = 0; end < launches.size(); ++end) {
            work += launches[end].bytes * rows;
            if (end > begin && work > most) break;
        }
        FF_TRY_ASSIGN(
            std::unique_ptr<gpu::CommandBuffer> piece,
            engine::record(device, name, launches.subspan(begin, end - begin), pipelines.subspan(begin, end - begin)));
        step.handles_.push_back(piece->handle());
        step.pieces_.push_back(std::move(piece));
        begin = end;
    }
    return step;
}

} // namespace ff::engine
