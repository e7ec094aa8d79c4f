// Measures what the tuning table allows for the kernels and shapes of a model, on the device.
#pragma once

#include "runtime/engine/model.h"

namespace ff::engine {

struct TuningResult {
    std::string key; // kernels::Tunable's
    std::vector<std::uint32_t> before, after;
    double microseconds_before = 0, microseconds_after = 0; // of all launches of a step with this key: medians
    bool better = false;                                    // beyond noise, twice, and the model computes the same
    std::uint32_t candidates = 0;
    std::string trouble; // why what is faster is not better: what the model computes with it
};

struct Tuning {
    bool by_timestamps = false;
    std::vector<TuningResult> results;
};

// On the engine's device, with devices of its own. The values that are better are not written anywhere. A round loads the model
// with other candidates of every key at once; the table's are measured in the first and in the last, the winners twice. Then
// the model's logits with the winners are compared with those it has with the table's.
Result<Tuning> tune(const Engine &engine, const loader::TensorSource &source,
                    const loader::ModelDescription &description, const model::WeightOptions &weights,
                    const ProgressFunction &progress);

// What is kept after that: what `before` has of other keys, and what is better.
TunedValues to_keep(const Tuning &tuning, const TunedValues &before);

} // namespace ff::engine
