// What a device would run, from its traits alone: the plans of a model made without a device.
#pragma once

#include "runtime/model/plan.h"

namespace ff::model {

// The launches that `device` gets for a model, each pipeline once (shader variant, specialisation constants, subgroup size,
// number of bindings and bytes of push constants), in the order in which they first come: of a decode step, of a step that
// reads a prompt, and of a batch's steps. Their buffers are views without memory; groups are those of the first launch.
// No tensor of `source` is read but for describing it. Fails like loading does: with unsupported where the model does not
// fit the device's limits.
Result<std::vector<kernels::Launch>> chosen_launches(const gpu::DeviceInfo &device, const loader::TensorSource &source,
                                                     const WeightOptions &weights);

// Of these the ones that whoever loads a model needs first. `description` is the source's.
struct FirstLaunches {
    std::vector<kernels::Launch> decode, prompt; // each pipeline once in each; none of a prompt that is read token by token
};
Result<FirstLaunches> first_launches(const gpu::DeviceInfo &device, const loader::TensorSource &source,
                                     const loader::ModelDescription &description, const WeightOptions &weights);

} // namespace ff::model
