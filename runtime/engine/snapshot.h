// A session's state as a safetensors file (docs/state.md): float32, the same on every device.
#pragma once

#include "runtime/engine/model.h"

namespace ff::engine {

struct Snapshot {
    std::uint32_t parity = 0;      // which copy of the kept inputs in `states` is the one that counts
    std::vector<std::byte> states; // as Model::read_slot gives them
    std::vector<float> logits;     // after the last token read; empty if nothing was read
};

// Written to a temporary file beside `path` and renamed, so that a failure leaves what was there.
Result<void> write_snapshot(const std::string &path, const Snapshot &snapshot, const Model &model);
Result<Snapshot> read_snapshot(const std::string &path, const Model &model);

} // namespace ff::engine
