#include "runtime/gpu/barriers.h"

#include <doctest/doctest.h>

using namespace ff::gpu;

namespace {

BufferView view(std::uintptr_t buffer, std::uint64_t offset, std::uint64_t bytes) {
    return {reinterpret_cast<VkBuffer>(buffer), offset, bytes, nullptr};
}

bool needs(BarrierTracker &tracker, std::initializer_list<Use> uses) {
    return tracker.needs_barrier_before({uses.begin(), uses.size()});
}

} // namespace

TEST_CASE("views overlap by bytes of the same buffer") {
    CHECK(view(1, 0, 16).overlaps(view(1, 15, 1)));
    CHECK_FALSE(view(1, 0, 16).overlaps(view(1, 16, 16)));
    CHECK_FALSE(view(1, 0, 16).overlaps(view(2, 0, 16)));
    CHECK(view(1, 8, 1).overlaps(view(1, 0, 16)));
    CHECK_FALSE(view(1, 8, 0).overlaps(view(1, 0, 8)));
}

TEST_CASE("a barrier stands only between launches that touch the same bytes and write") {
    BarrierTracker tracker;
    CHECK_FALSE(needs(tracker, {{view(1, 0, 64), Access::read}, {view(2, 0, 64), Access::write}}));
    SUBCASE("reading again what was read") {
        CHECK_FALSE(needs(tracker, {{view(1, 0, 64), Access::read}}));
    }
    SUBCASE("reading what was written") {
        CHECK(needs(tracker, {{view(2, 60, 4), Access::read}}));
    }
    SUBCASE("writing what was read") {
        CHECK(needs(tracker, {{view(1, 0, 4), Access::write}}));
    }
    SUBCASE("writing what was written") {
        CHECK(needs(tracker, {{view(2, 0, 4), Access::write}}));
    }
    SUBCASE("reading and writing what was read") {
        CHECK(needs(tracker, {{view(1, 0, 4), Access::read_write}}));
    }
    SUBCASE("writing beside what was written") {
        CHECK_FALSE(needs(tracker, {{view(2, 64, 4), Access::write}}));
    }
}

TEST_CASE("a barrier makes the tracker forget what came before it, not the launch behind it") {
    BarrierTracker tracker;
    CHECK_FALSE(needs(tracker, {{view(1, 0, 64), Access::write}}));
    CHECK(needs(tracker, {{view(1, 0, 64), Access::read}, {view(2, 0, 64), Access::write}}));
    CHECK_FALSE(needs(tracker, {{view(1, 0, 64), Access::read}}));
    CHECK(needs(tracker, {{view(2, 0, 64), Access::read}}));
}

TEST_CASE("a hazard with any launch since the barrier counts, and a launch has none with itself") {
    BarrierTracker tracker;
    CHECK_FALSE(needs(tracker, {{view(1, 0, 64), Access::write}, {view(1, 0, 64), Access::read}}));
    CHECK_FALSE(needs(tracker, {{view(2, 0, 64), Access::write}}));
    CHECK_FALSE(needs(tracker, {{view(3, 0, 64), Access::write}}));
    CHECK(needs(tracker, {{view(4, 0, 64), Access::read}, {view(1, 32, 4), Access::read}}));
    tracker.reset();
    CHECK_FALSE(needs(tracker, {{view(1, 0, 64), Access::write}}));
}
