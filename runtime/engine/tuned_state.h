// State-tuned files: a WKV state for each layer, trained to stand in for a prompt (RWKV-PEFT's "state tuning"), as .pth
// or .safetensors.
#pragma once

#include "loader/tensor_source.h"
#include "runtime/engine/snapshot.h"
#include "runtime/model/state_layout.h"

namespace ff::engine {

bool is_tuned_state(const loader::TensorSource &file); // it has blocks.0.att.time_state
// The state before the first token, with these WKV states in it. Fails with model_file or unsupported (version 4, which
// has no such files).
Result<Snapshot> read_tuned_state(const loader::TensorSource &file, const StateShape &shape,
                                  const model::StateLayout &layout);

} // namespace ff::engine
