// What differs between RWKV versions: which tensors a layer has, and which launches it is made of.
#pragma once

#include "runtime/model/scratch.h"
#include "runtime/model/state.h"
#include "runtime/model/weights.h"

namespace ff::model {

class LayerPlan;

struct LayerContext {
    kernels::StepBuffers step;
    const Scratch *scratch;
    const StateStore *states;
    std::uint32_t width;
};

class Architecture {
  public:
    virtual ~Architecture() = default;
    // Bytes of the vectors that load_layer puts into the parameter block, and the matrices whose launches need a
    // segment table there.
    virtual std::uint64_t vector_bytes_per_layer() const = 0;
    virtual std::uint32_t segments_per_layer() const = 0;
    virtual void declare_activations(Scratch &scratch) const = 0;
    // What comes before the layers, for versions that have such.
    virtual Result<void> load_begin(WeightLoader &) { return {}; }
    virtual Result<void> plan_begin(LayerPlan &) const { return {}; }
    virtual Result<void> load_layer(WeightLoader &weights, std::uint32_t layer) = 0;
    virtual Result<void> plan_layer(LayerPlan &plan, std::uint32_t layer) const = 0;
};

// Fails with unsupported for shapes that have no plan.
Result<std::unique_ptr<Architecture>> make_architecture(const loader::ModelDescription &description);
Result<std::unique_ptr<Architecture>> make_rwkv4(const loader::ModelDescription &description);
Result<std::unique_ptr<Architecture>> make_rwkv5(const loader::ModelDescription &description);
Result<std::unique_ptr<Architecture>> make_rwkv6(const loader::ModelDescription &description);
Result<std::unique_ptr<Architecture>> make_rwkv7(const loader::ModelDescription &description);

} // namespace ff::model
