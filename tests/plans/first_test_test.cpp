// A device of an untried vendor is tested for a second at its first use, and that is remembered.
#include "runtime/doctor/first_test.h"
#include "tests/support/temporary_folder.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

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

TEST_CASE("first test: what it finds wrong is not used, also where that cannot be remembered") {
    const test::TemporaryFolder folder("first");
    std::filesystem::create_directories(folder.path());
    std::ofstream(folder.path() + "/file") << "no folder";
    engine::EngineOptions options;
    if (const char *device = std::getenv("FIREFINCH_TEST_DEVICE")) options.device = device;
    options.cache_directory = folder.path() + "/file/cache";
    options.mask = [](gpu::DeviceTraits &traits) {
        traits.vendor_id = 0x1234;
        traits.max_push_constant_bytes = 24; // too few for most pipelines
    };
    std::string said;
    options.log = [&](LogLevel, std::string_view message) { said += std::string(message) + "\n"; };
    const auto engine = doctor::engine_with_first_test(options, true);
    REQUIRE_MESSAGE(engine.ok(), (engine.ok() ? "" : engine.error().message));
    CHECK_MESSAGE(said.find("cannot be created") != said.npos, said);
    CHECK_MESSAGE(!(*engine)->deny_list().denied.empty(), said);
    for (const engine::DeniedVariant &each : (*engine)->deny_list().denied) {
        const std::string name = kernels::full_name(*each.variant);
        CHECK_MESSAGE(said.find(name + " is not used on") != said.npos, said);
        CHECK(std::ranges::count((*engine)->device()->traits().denied, name) == 1);
    }
}
