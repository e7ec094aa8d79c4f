// What a device would run, from its traits alone: the plans of a model made without a device.
#pragma once

#include "runtime/model/plan.h"

namespace ff::model {

// The launches that `device` gets for a model, each pipeline once (shader variant, specialisation constants, subgroup size,
// number of bindings and bytes of push constants), in the order in which they first come: of a decode step, of a step that
// reads a prompt, and of a batch's steps. Their buffers are views without memory; groups are those of the first launch.
// `source` is described, its small tensors are read. Fails like loading does: with unsupported where the model does not fit
// the device's limits.
Result<std::vector<kernels::Launch>> chosen_launches(const gpu::DeviceInfo &device, const loader::TensorSource &source,
                                                     const WeightOptions &weights);

} // namespace ff::model
