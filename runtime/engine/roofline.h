// What a device does at best, measured: how fast it reads its memory, and how fast it multiplies and adds.
#pragma once

#include "runtime/gpu/device.h"

namespace ff::engine {

struct Roofline {
    double read_bytes_per_second = 0, multiply_adds_per_second = 0;
    double matrix_multiply_adds_per_second = 0; // 0: no cooperative matrices, or slow ones
};

// Fails with out_of_device_memory, with device if a result is wrong, or as the device does.
Result<Roofline> measure_roofline(const std::shared_ptr<gpu::Device> &device);

} // namespace ff::engine
