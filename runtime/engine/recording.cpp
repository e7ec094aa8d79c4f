#include "runtime/engine/recording.h"

#include <fmt/format.h>

namespace ff::engine {

Result<std::unique_ptr<gpu::CommandBuffer>> record(const std::shared_ptr<gpu::Device> &device, const std::string &name,
                                                   std::span<const kernels::Launch> launches,
                                                   std::span<const gpu::Pipeline *const> pipelines,
                                                   const Timing &timing) {
    FF_TRY_ASSIGN(gpu::Recorder recorder, gpu::Recorder::create(device, name, true));
    if (timing.timestamps) recorder.timestamp(*timing.timestamps, 0);
    std::uint32_t taken = 1;
    for (std::size_t i = 0; i < launches.size(); ++i) {
        const kernels::Launch &launch = launches[i];
        std::vector<gpu::Use> uses;
        for (const kernels::NamedUse &use : launch.uses) uses.push_back({use.view, use.access});
        const std::string label = launch.layer < 0
                                      ? kernels::full_name(*launch.variant)
                                      : fmt::format("layer {} {}", launch.layer, kernels::full_name(*launch.variant));
        FF_TRY(recorder.launch({.pipeline = pipelines[i],
                                .buffers = launch.buffers,
                                .push_constants = launch.push_constants,
                                .groups = launch.groups,
                                .uses = uses,
                                .label = label}));
        if (timing.timestamps && (timing.every == Timing::Every::launch || i + 1 == launches.size()))
            recorder.timestamp(*timing.timestamps, taken++);
    }
    FF_TRY_ASSIGN(gpu::CommandBuffer commands, recorder.finish());
    return std::make_unique<gpu::CommandBuffer>(std::move(commands));
}

} // namespace ff::engine
