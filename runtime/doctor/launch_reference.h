// What a launch of a plan must leave behind, computed in float64 from what the device holds just before it: the
// launch's own parameters and bindings say what is read, the references say what comes out.
#pragma once

#include "runtime/base/result.h"
#include "runtime/doctor/bound.h"

namespace ff::doctor {

struct Expectation {
    std::string name;     // of what is written
    gpu::BufferView view; // of the words that are compared, and those between them
    reference::Vector values;
    bool integers = false;    // words are unsigned integers, else floats
    std::uint32_t stride = 1; // words from one value to the next
};

// `bindings` are launch.buffers. Every kernel of a step is known, and one that has no work in it expects nothing. Fails
// with internal where the launch's parameters, or counts in its buffers, point outside its bindings.
Result<std::vector<Expectation>> expectations(const kernels::Launch &launch, const Bindings &bindings);

// Parts of the above, one a file.
using Expectations = std::vector<Expectation>;
Expectations expect_embed(const kernels::Launch &launch, const Bindings &bindings);      // embed, wide_embed
Expectations expect_wide_begin(const kernels::Launch &launch, const Bindings &bindings);
Expectations expect_sample(const kernels::Launch &launch, const Bindings &bindings);     // sample, wide_sample
Expectations expect_wide_mix(const kernels::Launch &launch, const Bindings &bindings);
Expectations expect_matmul(const kernels::Launch &launch, const Bindings &bindings);     // all products of wide steps
Expectations expect_wide_wkv(const kernels::Launch &launch, const Bindings &bindings);   // versions 4 to 7
Expectations expect_deep_embed(const kernels::Launch &launch, const Bindings &bindings); // of both kinds of step

} // namespace ff::doctor
