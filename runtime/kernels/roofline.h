// The launches that measure what a device does at best.
#pragma once

#include "runtime/kernels/kernel.h"

#include <optional>

namespace ff::kernels {

constexpr std::uint32_t kRooflineLocalSize = 128; // that every device offers

// One launch reads whole turns of its grid: this many bytes are read at a time, and ranges are multiples of it.
constexpr std::uint64_t kRooflineReadGrain = 1ULL << 20;
// `data`: at most what a binding covers. An invocation writes its sum of words to sums [invocations_of(launch)] from
// the `sums_at`-th word on.
Launch roofline_read(const gpu::DeviceTraits &traits, const gpu::BufferView &data, const gpu::BufferView &sums,
                     std::uint32_t sums_at);

constexpr std::uint32_t kRooflineFmaGroups = 8192; // enough to fill any device several times over
constexpr float kRooflineFmaFactor = -0.5F, kRooflineFmaAddend = 1.5F;
Launch roofline_fma(const gpu::DeviceTraits &traits, const gpu::BufferView &sums, std::uint32_t turns);
std::uint64_t multiply_adds_of(const Launch &roofline_fma);

// The same by cooperative matrices of float16.
struct MatrixRoofline {
    Launch launch;
    std::uint64_t sums;          // that it writes, from the first on
    float end;                   // what each of them is then
    std::uint64_t multiply_adds; // of the launch
};
constexpr std::uint64_t kMostMatrixSums = 1ULL << 21;
// `sums`: kMostMatrixSums floats. Nothing where the device has no matrices that fit, or slow ones.
std::optional<MatrixRoofline> roofline_matrix(const gpu::DeviceTraits &traits, const gpu::BufferView &sums, std::uint32_t turns);

std::uint64_t invocations_of(const Launch &roofline);

} // namespace ff::kernels
