// What a kernel test needs around one launch: scratch with its step header, state, weights, parameters.
#pragma once

#include "runtime/kernels/launches.h"
#include "shaders/lib/interface.h"
#include "tests/support/gpu_fixture.h"
#include "tests/support/launching.h"
#include "tests/support/numbers.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

namespace ff::test {

// The step header as `embed` would leave it.
struct StepHeader {
    std::uint32_t run = 1, token = 0, parity = 0, slot = 0, logits = 1, sample = 0, entry = 0, prompt = 0;
    std::vector<std::uint32_t> words() const;
};

struct SceneSize {
    std::uint64_t scratch_floats = 0, state_floats = 0, weight_bytes = 0, parameter_floats = 0;
    std::size_t header_words = shader::kStepWords;
};

struct Scene {
    explicit Scene(const SceneSize &size);

    gpu::DeviceTraits traits; // the device's; a test may lower limits before it builds launches
    GuardedMemory scratch, state, weights;
    GuardedParameters parameters;
    gpu::BufferView header;

    kernels::StepBuffers step();
    kernels::StepBuffers wide_step(std::uint32_t rows); // of as many runs; 1: a decode step
    void set_header(const StepHeader &step) { scratch.set(header, step.words()); }
    kernels::Activation activation(std::string name, std::span<const float> values);
    // An array of rows as a plan lays it out: `values` [tokens, floats], and up to `most` rows the rest, NaN.
    kernels::Activation array(std::string name, std::span<const float> values, std::uint32_t floats, std::uint32_t most);
    kernels::Activation output(std::string name, std::uint32_t floats); // NaN before, and may change
    void run(std::span<const kernels::Launch> launches, std::initializer_list<GuardedMemory *> more = {});
    std::vector<float> floats(const kernels::Activation &activation) const { return scratch.floats(activation.view); }
    std::vector<std::uint32_t> words(const kernels::Activation &activation) const {
        return scratch.words(activation.view);
    }
};

// Has launches of this scene load what all lanes of a subgroup want together (shaders/lib/lane_loads.glsl), whatever is quicker.
// False, and said, where subgroups do not suit.
bool join_lanes(Scene &scene);
bool joins_lanes(const kernels::Launch &launch);
// The variants of `kernel` that read weights by address. None, and said, on a device that was not made for them: they run under
// the profile `lanes`.
std::vector<const kernels::Variant *> address_variants(std::string_view kernel);

// What a variant may be off by: `float32`, or where inputs are counted in 16 bits, sums of what that rounds away.
double tolerance_of(const kernels::Variant &variant, double float32);

// Weights whose product with a vector of ordinary numbers is one again.
std::vector<float> random_matrix(Random &random, std::uint32_t rows, std::uint32_t columns);

// The vectors that live in a layer's state for every slot, as the model lays them out: `floats` of them a slot, of
// which the test's own start at `offset` (floats).
struct SlotState {
    std::uint32_t slots = 3, floats = 0, offset = 8;
    gpu::BufferView view;
    std::uint64_t slot_bytes() const { return std::uint64_t{4} * floats; }
    gpu::BufferView part(std::uint32_t slot, std::uint32_t at, std::uint32_t count) const {
        return view.slice(slot * slot_bytes() + std::uint64_t{4} * (offset + at), std::uint64_t{4} * count);
    }
};
std::uint32_t padded(std::uint32_t floats); // to whole weight groups

} // namespace ff::test
