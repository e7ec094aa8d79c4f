// Numbers of kernels that were measured to be best on a device with a driver, in a file beside the pipeline cache
// (device_file.h). Whether the device can run them is the tuning table's to say (kernels/tuning.h).
#pragma once

#include "runtime/engine/device_file.h"
#include "runtime/gpu/traits.h"

namespace ff::engine {

using TunedValues = std::vector<gpu::DeviceTraits::Tuned>;

TunedValues read_tuned_values(const std::string &directory, const gpu::CacheIdentity &identity, const LogFunction &log);
Result<void> write_tuned_values(const std::string &directory, const gpu::CacheIdentity &identity, const TunedValues &values);

} // namespace ff::engine
