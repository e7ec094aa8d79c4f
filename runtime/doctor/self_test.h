// Every kernel variant that a device could choose, against float64, on that device.
#pragma once

#include "runtime/doctor/walk.h"
#include "runtime/engine/engine.h"

namespace ff::doctor {

struct VariantResult {
    enum class Outcome : std::uint8_t { passed, failed, not_tested };
    const kernels::Variant *variant = nullptr;
    Outcome outcome = Outcome::not_tested;
    std::uint32_t launches = 0; // that were compared
    Finding finding;            // of a failed one, its first
    std::string where;          // "7.0 with q4_k weights, decode step, layer 1"
};

struct SelfTestOptions {
    double seconds = 0; // no case is begun later than this; 0: all of them
    ProgressFunction progress;
};

struct SelfTest {
    std::vector<VariantResult> variants; // in the order of variants.def
    std::uint64_t validation_messages = 0;
    std::string first_validation_message;
    double seconds = 0;
    bool passed() const; // nothing failed, and the validation layers said nothing
};

// With the options of an engine; its deny list is not read, and what is compiled is kept in a folder of its own inside the
// cache, as is the variant under test: one that took an earlier test's process down has failed. Fails with cancelled, or where a
// device cannot be made.
Result<SelfTest> self_test(const engine::EngineOptions &engine, const SelfTestOptions &options);

// What goes on the deny list: the failing variants, and those that `before` has and that have no result of this time, be it
// for lack of time or because a profile left them out.
Result<std::vector<engine::DeniedVariant>> to_deny(engine::Engine &engine, const SelfTest &test,
                                                   std::span<const engine::DeniedVariant> before);

} // namespace ff::doctor
