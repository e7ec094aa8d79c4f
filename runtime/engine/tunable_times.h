// How long everything takes that the tuning table allows other numbers for.
#pragma once

#include "runtime/engine/model.h"

#include <map>

namespace ff::engine {

struct TunableTimes {
    using Samples = std::vector<double>; // microseconds
    std::map<std::string, Samples> by_key;
    std::map<std::string, std::shared_ptr<const kernels::Tunable>> tunables;
    bool by_timestamps = false; // what a decode step has; else its keys share the time of whole steps
};

// Decode steps, prompts and batches of a model that may have kernels::kFewTokens sessions. `candidate`: keys of prompts and batches that
// do not have so many candidates are left out.
Result<TunableTimes> time_tunables(const std::shared_ptr<Model> &model, std::size_t candidate);

} // namespace ff::engine
