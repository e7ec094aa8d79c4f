// What tuning answers for devices that are not at hand, as far as this one can run it.
#pragma once

#include "runtime/gpu/captured_devices.h"
#include "runtime/kernels/tuning.h"
#include "tests/support/gpu_fixture.h"

#include <algorithm>
#include <functional>
#include <initializer_list>

namespace ff::test {

// The answers of `tune` for this device and for every captured one, at each of `sizes`: the table's and all that may be measured,
// each once.
template <class Tuning>
std::vector<Tuning> tunings_of_any_device(std::initializer_list<std::uint32_t> sizes,
                                          const std::function<Tuning(const gpu::DeviceTraits &, std::uint32_t size)> &tune) {
    const gpu::DeviceTraits &here = device()->traits();
    std::vector<gpu::DeviceTraits> devices = {here};
    for (const gpu::CapturedDevice &captured : gpu::captured_devices()) devices.push_back(captured.info.traits);
    std::vector<Tuning> found;
    const auto add = [&](const Tuning &tuning) {
        const auto is_same = [&](const Tuning &other) { return constants_of(other) == constants_of(tuning); };
        if (tuning.local_size <= std::min(here.max_workgroup_invocations, here.max_workgroup_size_x) &&
            std::none_of(found.begin(), found.end(), is_same))
            found.push_back(tuning);
    };
    for (gpu::DeviceTraits &traits : devices)
        for (const std::uint32_t size : sizes) {
            traits.lane_loads_slow = false; // loads of all lanes together have tests of their own
            traits.tuned.clear();
            const Tuning table = tune(traits, size);
            add(table);
            for (const std::vector<std::uint32_t> &values : table.origin.tunable->candidates) {
                traits.tuned = {{table.origin.tunable->key, values}};
                add(tune(traits, size));
            }
        }
    return found;
}

} // namespace ff::test
