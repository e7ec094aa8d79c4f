// A device of a vendor that firefinch has not been tried on is tested for a second, the first time it is used.
#pragma once

#include "runtime/engine/engine.h"

namespace ff::doctor {

// The one list of vendors whose devices, or whose compilers, the project's own tests run on.
bool is_known_good(const gpu::DeviceTraits &traits);

// An engine. With `first_test`, a cache directory to remember it in, and a device that is neither known good nor tested before
// with this driver, a second's self-test comes first, and what fails in it is denied.
Result<std::shared_ptr<engine::Engine>> engine_with_first_test(const engine::EngineOptions &options, bool first_test);

} // namespace ff::doctor
