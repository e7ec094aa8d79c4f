#include "runtime/doctor/first_test.h"

#include "runtime/doctor/self_test.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::doctor {
namespace {

struct Vendor {
    std::uint32_t id;
    std::string_view reason;
};
constexpr Vendor kKnownGood[] = {
    {0x10005, "Mesa's software driver, which runs the whole suite at every commit"},
    {0x1ae0, "SwiftShader, likewise"},
    {0x1002, "AMD: RADV's compiler has compiled every variant"},
    {0x8086, "Intel: ANV's compiler has compiled every variant"},
    {0x10de, "NVIDIA: NVK's compiler has compiled every variant"},
};
constexpr double kSeconds = 1;

} // namespace

bool is_known_good(const gpu::DeviceTraits &traits) {
    return std::ranges::find(kKnownGood, traits.vendor_id, &Vendor::id) != std::end(kKnownGood);
}

Result<std::shared_ptr<engine::Engine>> engine_with_first_test(const engine::EngineOptions &options, bool first_test) {
    FF_TRY_ASSIGN(std::shared_ptr<engine::Engine> engine, engine::Engine::create(options));
    if (!first_test || options.cache_directory.empty() || options.ignore_deny_list || is_known_good(engine->device()->traits()) ||
        engine->deny_list().tested)
        return engine;
    const std::string name = engine->device()->info().name;
    const auto log = [&](LogLevel level, std::string_view message) {
        if (options.log) options.log(level, message);
    };
    log(LogLevel::info, fmt::format("{}: first use of this device and driver, a self-test of a second", name));
    const Result<SelfTest> test = self_test(options, {.seconds = kSeconds, .progress = {}});
    if (!test.ok()) {
        log(LogLevel::warning, fmt::format("the self-test of {} did not run: {}", name, test.error().message));
        return engine;
    }
    FF_TRY_ASSIGN(const std::vector<engine::DeniedVariant> denied, to_deny(*engine, *test, {}));
    const Result<void> written =
        engine::write_deny_list(options.cache_directory, gpu::cache_identity(*engine->device()), denied);
    if (!written.ok()) log(LogLevel::warning, written.error().message);
    if (denied.empty()) return engine;
    engine.reset();
    if (written.ok()) return engine::Engine::create(options);
    engine::EngineOptions without = options; // what cannot be remembered holds for this engine
    without.found_wrong = denied;
    return engine::Engine::create(without);
}

} // namespace ff::doctor
