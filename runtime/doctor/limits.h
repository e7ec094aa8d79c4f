// A device's memory limits, tried for real: drivers promise more than they keep.
#pragma once

#include "runtime/engine/engine.h"

namespace ff::doctor {

struct LimitResult {
    std::string name;            // "largest allocation"
    std::uint64_t claimed = 0;   // bytes, by the driver
    std::uint64_t tried = 0;     // less where so much is not free
    bool passed = false;
    std::string trouble;
};

// The largest allocation, the largest bound range (a product reads all of it), and most of the memory that is free; of a
// device that shares the host's memory no more than 1 GiB. A device that is lost fails what is left. Fails with
// cancelled.
Result<std::vector<LimitResult>> try_limits(engine::Engine &engine, const ProgressFunction &progress);

} // namespace ff::doctor
