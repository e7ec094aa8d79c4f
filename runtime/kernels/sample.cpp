#include "runtime/kernels/launches.h"
#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "shaders/lib/interface.h"

namespace ff::kernels {

Launch sample(const StepBuffers &step, const SampleArguments &a) {
    Launch launch;
    launch.variant = a.variant;
    launch.constants = {{shader::kSpecLocalSize, single_workgroup_size(*step.traits)}};
    launch.groups[0] = step.runs;
    launch.buffers = {a.logits, a.history, step.scratch, a.control};
    launch.set_params(shader::SampleParams{
        .vocabulary = a.vocabulary,
        .history_stride = a.vocabulary,
        .work_at = at16(step.scratch, a.work.view),
        .work_stride = static_cast<std::uint32_t>(padded_bytes(a.vocabulary) / 16),
    });
    launch.uses = {{"step", step.header(), gpu::Access::read},
                   {"logits", a.logits, gpu::Access::read},
                   {"history", a.history, gpu::Access::read_write},
                   {a.work.name, a.work.view, gpu::Access::read_write},
                   {"control", a.control, gpu::Access::read_write}};
    launch.bytes = std::uint64_t{12} * step.runs * a.vocabulary; // logits, and counts read and written
    return launch;
}

} // namespace ff::kernels
