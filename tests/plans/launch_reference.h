// What a launch of a plan must leave behind, computed in float64 from what the device holds just before it: the
// launch's own parameters and bindings say what is read, the references say what comes out.
#pragma once

#include "runtime/kernels/kernel.h"
#include "tests/reference/reference.h"

namespace ff::test {

struct Expectation {
    std::string name;     // of the buffer
    gpu::BufferView view; // of the floats that are compared
    reference::Vector values;
};

// Reads the launch's bindings from the device; its step header must have been written. Kernels of the sampler and the
// control block have tests of their own and expect nothing here.
std::vector<Expectation> expectations(const kernels::Launch &launch);

} // namespace ff::test
