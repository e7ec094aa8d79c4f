// What the cost model makes of measurements: on plain numbers, without a device.
#include "runtime/engine/launch_costs.h"

#include <doctest/doctest.h>

using namespace ff;
using engine::LaunchCosts;

namespace {

kernels::Launch launch(std::uint32_t groups, std::uint64_t bytes, std::int32_t layer = 0) {
    kernels::Launch made;
    made.variant = &kernels::all_variants().front();
    made.layer = layer;
    made.groups = {groups, 1, 1};
    made.bytes = bytes;
    return made;
}

} // namespace

TEST_CASE("launch costs: layers share what is alike, and only that") {
    LaunchCosts costs(gpu::DeviceType::discrete);
    const LaunchCosts::Class one = costs.class_of(launch(8, 1000, 0), 1, false);
    CHECK(costs.class_of(launch(8, 1000, 5), 1, true) == one);
    CHECK(costs.class_of(launch(9, 1000), 1, false) != one);
    CHECK(costs.class_of(launch(8, 1001), 1, false) != one);
    CHECK(costs.class_of(launch(8, 1000), 128, false) != one);
    // A head whose logits nobody wants has no work.
    CHECK(costs.class_of(launch(8, 1000, -1), 1, true) != costs.class_of(launch(8, 1000, -1), 1, false));
    // Before anything is measured: more bytes take longer.
    CHECK(costs.microseconds(costs.class_of(launch(8, 1 << 30), 1, false)) > 100 * costs.microseconds(one));
}

TEST_CASE("launch costs: measurements of launches and of slices are followed, outliers little") {
    LaunchCosts costs(gpu::DeviceType::software);
    const LaunchCosts::Class of = costs.class_of(launch(8, 1000), 1, false);
    CHECK(costs.wants_measuring(of));
    for (int i = 0; i < 4; ++i) costs.measured(of, 100);
    CHECK_FALSE(costs.wants_measuring(of));
    CHECK(costs.microseconds(of) == doctest::Approx(100));
    costs.measured(of, 1e9);
    CHECK(costs.microseconds(of) < 170);
    for (int i = 0; i < 60; ++i) costs.measured(of, 40);
    CHECK(costs.microseconds(of) == doctest::Approx(40).epsilon(0.02));
    const LaunchCosts::Class slice[] = {of, of, of};
    for (int i = 0; i < 60; ++i) costs.measured(slice, 3 * 70.0);
    CHECK(costs.microseconds(of) == doctest::Approx(70).epsilon(0.02));
}

TEST_CASE("launch costs: on a device that is not steady slices are filled less") {
    LaunchCosts costs(gpu::DeviceType::software);
    const LaunchCosts::Class of = costs.class_of(launch(8, 1000), 1, false);
    costs.measured(of, 100);
    const LaunchCosts::Class slice[] = {of};
    for (int i = 0; i < 200; ++i) costs.measured(slice, 100);
    CHECK(costs.margin() < 1.03);
    for (int i = 0; i < 2000; ++i) costs.measured(slice, i % 5 == 0 ? 130 : 90);
    CHECK(costs.margin() > 1.2);
    CHECK(costs.margin() <= 1.5);
}
