// What the launches of a decode step cost, by kernel: steps are replayed with a timestamp after every launch.
#pragma once

#include "runtime/kernels/kernel.h"

namespace ff::engine {

struct KernelCost {
    const kernels::Variant *variant = nullptr;
    std::uint32_t calls = 0; // in a step
    double microseconds = 0; // of all of them: the median over the steps
    std::uint64_t bytes = 0; // that they must move
};

// `steps` holds for each step the timestamps before the first and after each of `launches`. One entry a variant, in the
// order of their first launches.
std::vector<KernelCost> costs_of(std::span<const kernels::Launch> launches, std::span<const std::vector<double>> steps);

} // namespace ff::engine
