// A device of an untried vendor is tested for a second at its first use, and that is remembered.
#include "runtime/doctor/first_test.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>

#include <cstdlib>

using namespace ff;

TEST_CASE("first test: of an untried vendor, once") {
    const test::TemporaryFolder folder("first");
    engine::EngineOptions options;
    if (const char *device = std::getenv("FIREFINCH_TEST_DEVICE")) options.device = device;
    options.cache_directory = folder.path();
    int tests = 0;
    options.log = [&](LogLevel, std::string_view message) { tests += message.find("first use") != message.npos; };
    const auto create = [&](bool first_test) {
        const auto engine = doctor::engine_with_first_test(options, first_test);
        REQUIRE_MESSAGE(engine.ok(), (engine.ok() ? "" : engine.error().message));
        return (*engine)->deny_list().denied.size();
    };
    create(true);
    CHECK(tests == 0); // a software driver that the tests run on
    options.mask = [](gpu::DeviceTraits &traits) { traits.vendor_id = 0x1234; };
    create(false);
    CHECK(tests == 0);
    CHECK(create(true) == 0);
    CHECK(tests == 1);
    CHECK(create(true) == 0);
    CHECK(tests == 1); // remembered
}
