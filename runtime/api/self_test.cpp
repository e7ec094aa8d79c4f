#include "runtime/doctor/self_test.h"

#include "runtime/api/objects.h"
#include "runtime/doctor/limits.h"

#include <algorithm>
#include <fmt/format.h>

using namespace ff;

struct ff_self_test {
    doctor::SelfTest test;
    std::vector<doctor::LimitResult> limits;
    struct Names {
        std::string kernel, variant;
    };
    std::vector<Names> names;
};

namespace {

ff_outcome outcome_of(doctor::VariantResult::Outcome outcome) {
    switch (outcome) {
    case doctor::VariantResult::Outcome::passed: return FF_OUTCOME_PASSED;
    case doctor::VariantResult::Outcome::failed: return FF_OUTCOME_FAILED;
    default: return FF_OUTCOME_NOT_TESTED;
    }
}

} // namespace

ff_status ff_engine_self_test(ff_self_test **out, ff_engine *engine, const ff_self_test_options *given, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !engine) return api::null_argument(out ? "engine" : "out");
        const ff_self_test_options options = api::from_caller(given, FF_SELF_TEST_OPTIONS_INIT);
        if (!(options.seconds >= 0)) return Error{Status::argument, fmt::format("a self-test of {} seconds", options.seconds)};
        const ProgressFunction progress = api::progress_function(options.progress, options.progress_payload);
        auto made = std::make_unique<ff_self_test>();
        engine::EngineOptions own = engine->engine->options();
        own.device = engine->engine->device()->info().uuid; // also where the program brought the device
        FF_TRY_ASSIGN(made->test, doctor::self_test(own, {options.seconds, progress}));
        if (options.limits) {
            FF_TRY_ASSIGN(made->limits, doctor::try_limits(*engine->engine, progress));
        }
        for (const doctor::VariantResult &result : made->test.variants)
            made->names.push_back({std::string(result.variant->kernel), std::string(result.variant->name)});
        *out = made.release();
        return {};
    });
}

void ff_self_test_destroy(ff_self_test *test) {
    delete test;
}

size_t ff_self_test_variant_count(const ff_self_test *test) {
    return test ? test->test.variants.size() : 0;
}

ff_status ff_self_test_variant(const ff_self_test *test, size_t index, ff_variant_result *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!test || !out) return api::null_argument(test ? "out" : "test");
        if (index >= test->names.size())
            return Error{Status::argument, fmt::format("variant {} of {}", index, test->names.size())};
        const doctor::VariantResult &result = test->test.variants[index];
        const doctor::Finding &finding = result.finding;
        api::to_caller(ff_variant_result{sizeof(ff_variant_result), test->names[index].kernel.c_str(),
                                         test->names[index].variant.c_str(), outcome_of(result.outcome), result.launches,
                                         result.where.c_str(), finding.output.c_str(), finding.element, finding.expected,
                                         finding.found, finding.trouble.c_str()},
                       out);
        return {};
    });
}

size_t ff_self_test_limit_count(const ff_self_test *test) {
    return test ? test->limits.size() : 0;
}

ff_status ff_self_test_limit(const ff_self_test *test, size_t index, ff_limit_result *out, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!test || !out) return api::null_argument(test ? "out" : "test");
        if (index >= test->limits.size())
            return Error{Status::argument, fmt::format("limit {} of {}", index, test->limits.size())};
        const doctor::LimitResult &limit = test->limits[index];
        api::to_caller(ff_limit_result{sizeof(ff_limit_result), limit.name.c_str(), limit.claimed, limit.tried,
                                       limit.passed ? 1 : 0, limit.trouble.c_str()},
                       out);
        return {};
    });
}

uint64_t ff_self_test_validation_messages(const ff_self_test *test, char *first, size_t capacity) {
    if (!test) return 0;
    api::copy_text(test->test.first_validation_message, first, capacity);
    return test->test.validation_messages;
}

ff_status ff_self_test_deny(const ff_self_test *test, ff_engine *engine, size_t *denied, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!test || !engine) return api::null_argument(test ? "engine" : "test");
        engine::Engine &own = *engine->engine;
        if (own.options().cache_directory.empty())
            return Error{Status::argument, "the engine has no cache directory to keep a deny list in"};
        const gpu::CacheIdentity identity = gpu::cache_identity(*own.device());
        const engine::DenyList before = engine::read_deny_list(own.options().cache_directory, identity, {});
        FF_TRY_ASSIGN(const std::vector<engine::DeniedVariant> all, doctor::to_deny(own, test->test, before.denied));
        FF_TRY(engine::write_deny_list(own.options().cache_directory, identity, all));
        const auto is_used = [&](const engine::DeniedVariant &each) { // an entry of another build's shader is only kept
            const Result<std::span<const std::uint32_t>> spirv = own.spirv_of(*each.variant);
            return spirv.ok() && engine::shader_hash(*spirv) == each.shader;
        };
        if (denied) *denied = static_cast<std::size_t>(std::ranges::count_if(all, is_used));
        return {};
    });
}
