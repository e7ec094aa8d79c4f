// States as files. Nothing here needs a device.
#pragma once

#include "loader/tensor_source.h"
#include "runtime/engine/snapshot.h"
#include "runtime/model/state_layout.h"

namespace ff::engine {

// A safetensors file (docs/state.md): float32, the same on every device.
std::vector<std::byte> encode_state(const Snapshot &snapshot, const model::StateLayout &layout,
                                    const std::string &fingerprint);
// How many bytes that is.
std::uint64_t state_file_bytes(const StateShape &shape, const model::StateLayout &layout, bool with_logits);
// Written to a temporary file beside `path` and renamed, so that a failure leaves what was there.
Result<void> write_state_file(const std::string &path, std::span<const std::byte> encoded);

// Such a file, or a state-tuned one (blocks.N.att.time_state), as a state of the model that has this shape.
Result<Snapshot> read_state(const loader::TensorSource &file, const StateShape &shape,
                            const model::StateLayout &layout);

} // namespace ff::engine
