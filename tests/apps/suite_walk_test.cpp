// How bench's suite goes through its models, on devices that do not exist: a clock that only runs move.
#include "suite_walk.h"

#include <doctest/doctest.h>

using namespace program;
using Kind = SuiteOutcome::Kind;

namespace {

struct Run {
    std::string name;
    SuiteSize size;
};

struct Device {
    double seconds = 0;          // so far
    double more = 0, slower = 1; // of a run, than estimated
    std::vector<Run> runs;
    std::function<SuiteOutcome(const Run &)> outcome = [](const Run &) { return SuiteOutcome{}; };

    // `whole`: what the largest size takes by its estimate; half of the tokens take half of that, batches nothing.
    SuitePart part(const std::string &name, double whole, bool small = false) {
        const auto estimate = [whole](const SuiteSize &size) { return whole * static_cast<double>(size.decode) / 128; };
        const auto run = [this, name, estimate](const SuiteSize &size) {
            seconds += more + slower * estimate(size);
            runs.push_back({name, size});
            return outcome(runs.back());
        };
        return {name, small, estimate, run};
    }
    SuiteWalk walk(const std::vector<SuitePart> &parts, double limit) {
        return walk_suite(parts, limit, [this] { return seconds; });
    }
};

bool says(const SuiteWalk &walk, const std::string &name, const std::string &what) {
    for (const std::string &sentence : walk.cut)
        if (sentence.rfind(name + ": ", 0) == 0 && sentence.find(what) != std::string::npos) return true;
    return false;
}

} // namespace

TEST_CASE("suite: what fits is run in full") {
    Device device;
    const SuiteWalk walk = device.walk({device.part("a", 10), device.part("b", 20)}, 60);
    CHECK(walk.cut.empty());
    REQUIRE(device.runs.size() == 2);
    for (const Run &run : device.runs) CHECK(run.size == SuiteSize{512, 128, 4, true});
}

TEST_CASE("suite: what is too large for its share is cut, and left out only where it does not fit into all that is left") {
    Device device;
    device.more = 20; // as the first one shows
    // The first takes 40 s. A quarter of the other 140 is 35: the second takes 30 at a quarter of its size. Of 110 that are left the
    // third's share is 37, and it takes 80 at its smallest; so would the fourth, of 30; the last one takes 26 of these.
    const SuiteWalk walk = device.walk({device.part("demo", 20, true), device.part("b", 40), device.part("c", 480), device.part("d", 480),
                                        device.part("e", 48)},
                                       180);
    std::string order;
    for (const Run &run : device.runs) order += run.name + std::to_string(run.size.decode) + " ";
    CHECK(order == "demo128 b32 c16 e16 ");
    CHECK(device.seconds <= 180);
    CHECK(says(walk, "b", "128 tokens, 32 decoded"));
    CHECK(says(walk, "c", "64 tokens, 16 decoded, 4 repeats, no batch"));
    CHECK(says(walk, "d", "would take too long"));
}

TEST_CASE("suite: a model that takes longer than estimated makes those behind it smaller") {
    Device device;
    device.slower = 3;
    device.walk({device.part("a", 20), device.part("b", 20)}, 100);
    REQUIRE(device.runs.size() == 2);
    CHECK(device.runs[0].size.decode == 128);
    CHECK(device.runs[1].size.decode == 64);
    CHECK(device.seconds <= 100);
}

TEST_CASE("suite: what must be run is run at its smallest, and nothing behind it when the time is over") {
    Device device;
    const SuiteWalk walk = device.walk({device.part("demo", 800, true), device.part("b", 1)}, 10);
    REQUIRE(device.runs.size() == 1);
    CHECK(device.runs[0].size == SuiteSize{64, 16, 4, false});
    CHECK(says(walk, "b", "would take too long"));
}

TEST_CASE("suite: where batches are refused, all is run without them") {
    Device device;
    device.outcome = [](const Run &run) { return run.size.batch ? SuiteOutcome{Kind::unsupported, "x is ruled out"} : SuiteOutcome{}; };
    const SuiteWalk walk = device.walk({device.part("a", 10), device.part("b", 10)}, 100);
    REQUIRE(device.runs.size() == 3);
    CHECK(device.runs[0].size.batch);
    CHECK(device.runs[1].name == "a");
    CHECK(device.runs[1].size == SuiteSize{512, 128, 4, false});
    CHECK(device.runs[2].size == SuiteSize{512, 128, 4, false});
    CHECK(says(walk, "a", "no batch: x is ruled out"));
    CHECK(says(walk, "b", "4 repeats, no batch"));
    CHECK(walk.device_lost.empty());
}

TEST_CASE("suite: the run without batches has to fit as well") {
    Device device;
    device.outcome = [](const Run &run) { return run.size.batch ? SuiteOutcome{Kind::unsupported, "x is ruled out"} : SuiteOutcome{}; };
    const SuiteWalk walk = device.walk({device.part("a", 96)}, 100);
    REQUIRE(device.runs.size() == 1);
    CHECK(says(walk, "a", "x is ruled out"));
}

TEST_CASE("suite: a model that cannot be run leaves the others") {
    Device device;
    device.outcome = [](const Run &run) {
        if (run.name == "a") return SuiteOutcome{Kind::failed, "out of memory"};
        return run.name == "b" ? SuiteOutcome{Kind::unsupported, "y is ruled out"} : SuiteOutcome{};
    };
    const SuiteWalk walk = device.walk({device.part("a", 1), device.part("b", 1), device.part("c", 1)}, 100);
    CHECK(device.runs.back().name == "c");
    CHECK(says(walk, "a", "out of memory"));
    CHECK(says(walk, "b", "y is ruled out"));
    CHECK(device.runs.back().size.batch);
    CHECK(walk.cut.size() == 2);
    CHECK(walk.device_lost.empty());
}

TEST_CASE("suite: a lost device ends it") {
    Device device;
    device.outcome = [](const Run &run) {
        return run.name == "b" ? SuiteOutcome{Kind::device_lost, "lost in vkQueueSubmit"} : SuiteOutcome{};
    };
    const SuiteWalk walk = device.walk({device.part("a", 1), device.part("b", 1), device.part("c", 1)}, 100);
    CHECK(device.runs.size() == 2);
    CHECK(walk.device_lost == "lost in vkQueueSubmit");
    CHECK(says(walk, "b", "lost in vkQueueSubmit"));
    CHECK(says(walk, "c", "not run"));
}

TEST_CASE("suite: Ctrl-C is not the suite's to hold") {
    Device device;
    device.outcome = [](const Run &) -> SuiteOutcome { throw 1; };
    CHECK_THROWS_AS(device.walk({device.part("a", 1)}, 100), int);
}
