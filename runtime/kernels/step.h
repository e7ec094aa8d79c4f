// What every launch of a step shares: the buffers a kernel finds the step's facts in. A decode step reads one token; a
// wide one up to `rows` tokens of up to `runs` sessions, and every vector of its scratch is an array of rows.
#pragma once

#include "runtime/kernels/matrix.h"
#include "runtime/kernels/parameters.h"

namespace ff::kernels {

struct StepBuffers {
    const gpu::DeviceTraits *traits = nullptr;
    Parameters *parameters = nullptr;
    gpu::BufferView scratch; // starts with the step header
    std::uint32_t rows = 1, runs = 1;
    std::uint64_t header_bytes = 256;
    Parameters *tables = nullptr; // where a wide step's segment tables go
    gpu::BufferView header() const { return scratch.slice(0, header_bytes); }
};

// A named float vector in scratch, one for each row of the step: activations that live from one launch to a later one
// of the same step.
struct Activation {
    std::string name;
    gpu::BufferView view;
};
inline std::uint32_t row_floats(const StepBuffers &step, const Activation &activation) { // from row to row
    return static_cast<std::uint32_t>(activation.view.bytes / 4 / step.rows);
}

// A vector that is kept from token to token, in the state of a layer: two copies a slot, the step's parity tells which
// is old. `view` covers the layer's state of all slots; `offset` is that of the vector in a slot.
struct LayerState {
    std::string name;     // "state.3"
    gpu::BufferView view; // [S, slot_bytes]
    std::uint64_t slot_bytes = 0;
};

} // namespace ff::kernels
