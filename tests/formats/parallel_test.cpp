// Every index is visited once, whatever there is to share and however many threads there are.
#include "runtime/base/parallel.h"

#include <atomic>
#include <doctest/doctest.h>
#include <stdexcept>

TEST_CASE("a parallel loop covers every index once, in whole grains") {
    for (const std::size_t count : {0UL, 1UL, 7UL, 8UL, 9UL, 1000UL})
        for (const std::size_t grain : {1UL, 8UL, 33UL, 5000UL}) {
            CAPTURE(count);
            CAPTURE(grain);
            std::vector<std::atomic<int>> visits(count);
            std::atomic<bool> whole = true;
            ff::parallel_ranges(count, grain, [&](std::size_t first, std::size_t last) {
                if (first % grain != 0 || (last % grain != 0 && last != count) || first >= last) whole = false;
                for (std::size_t i = first; i < last; ++i) ++visits[i];
            });
            CHECK(whole);
            for (const auto &visit : visits) CHECK(visit == 1);
        }
}

TEST_CASE("what a parallel loop's work throws arrives where the loop was called") {
    std::atomic<std::size_t> done = 0;
    const auto loop = [&] {
        ff::parallel_ranges(64, 1, [&](std::size_t first, std::size_t last) {
            if (last == 64) throw std::runtime_error("the last one");
            done += last - first;
        });
    };
    CHECK_THROWS_WITH_AS(loop(), "the last one", std::runtime_error);
    CHECK(done < 64);
}
