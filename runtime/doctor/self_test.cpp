#include "runtime/doctor/self_test.h"

#include "runtime/doctor/cases.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <iterator>

namespace ff::doctor {
namespace {

using Clock = std::chrono::steady_clock;
using Outcome = VariantResult::Outcome;

engine::EngineOptions own_options(engine::EngineOptions options) {
    options.ignore_deny_list = options.ignore_tuning = true;
    if (!options.cache_directory.empty())
        options.cache_directory = (std::filesystem::path(options.cache_directory) / "doctor").string();
    return options;
}

// The run of one self-test. A pass walks all cases with the variants that the device's traits choose; the next denies those
// that were tested wherever another one is left to choose.
class Run {
  public:
    Run(const engine::EngineOptions &engine, const SelfTestOptions &options)
        : engine_options_(own_options(engine)), options_(options) {}

    Result<SelfTest> run() {
        FF_TRY(make_engine());
        for (const kernels::Variant *variant : kernels::candidates(engine_->device()->traits()))
            test_.variants.push_back({variant, Outcome::not_tested, 0, {}, {}});
        fail_what_ended_another_test();
        do {
            for (const Case &each : all_cases())
                for (const StepKind &kind : step_kinds()) FF_TRY(walk(each, kind));
        } while (deny_tested() && !late() && make_engine().ok());
        note_messages();
        ended_.clear(); // they are in the result
        test_.seconds = seconds();
        return std::move(test_);
    }

    ~Run() {
        if (noted_) note_trial(nullptr);
    }

  private:
    double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }
    bool late() const { return options_.seconds > 0 && seconds() > options_.seconds; }

    VariantResult *result_of(const kernels::Variant *variant) {
        const auto found = std::ranges::find(test_.variants, variant, &VariantResult::variant);
        return found == test_.variants.end() ? nullptr : &*found;
    }
    bool untested(const kernels::Variant *variant) {
        const VariantResult *result = result_of(variant);
        return result && result->launches == 0;
    }

    Result<void> make_engine() {
        if (engine_) note_messages();
        engine_.reset();
        FF_TRY_ASSIGN(engine_, engine::Engine::create(engine_options_));
        return {};
    }

    void note_messages() {
        const std::uint64_t count = engine_ ? engine_->instance().validation_messages() : 0;
        if (count > 0 && test_.validation_messages == 0)
            test_.first_validation_message = engine_->instance().first_validation_message();
        test_.validation_messages += count;
    }

    // A driver may take the process down with it. The variant that it meets for the first time is on the deny list of the test's own
    // folder meanwhile, and if it is still there at the next test, that was it. Those that ended earlier tests stay there with it
    // until a test has come to its end.
    void begin(const kernels::Variant &variant) {
        if (on_trial_ != &variant && untested(&variant)) note_trial(&variant);
    }
    void note_trial(const kernels::Variant *variant) {
        on_trial_ = variant;
        noted_ = true;
        if (engine_options_.cache_directory.empty()) return;
        std::vector<engine::DeniedVariant> entries = ended_;
        if (variant)
            if (const auto spirv = engine_->spirv_of(*variant); spirv.ok())
                entries.push_back({variant, engine::shader_hash(*spirv), "under test"});
        (void)engine::write_deny_list(engine_options_.cache_directory, identity_, entries); // if not, a crash leaves no name
    }
    void fail_what_ended_another_test() {
        identity_ = gpu::cache_identity(*engine_->device());
        for (const engine::DeniedVariant &left :
             engine::read_deny_list(engine_options_.cache_directory, identity_, engine_options_.log).denied) {
            const Result<std::span<const std::uint32_t>> spirv = engine_->spirv_of(*left.variant);
            VariantResult *result = result_of(left.variant);
            if (!result || !spirv.ok() || engine::shader_hash(*spirv) != left.shader) continue;
            result->outcome = Outcome::failed;
            result->launches = 1;
            result->finding.trouble = "the program ended while this was tested";
            result->where = "an earlier test";
            engine_options_.denied.push_back(kernels::full_name(*left.variant));
            ended_.push_back(left);
        }
        noted_ = !ended_.empty();
        if (!ended_.empty()) (void)make_engine(); // without one the rest is not tested
    }

    bool report() {
        const auto done = std::ranges::count_if(test_.variants, [](const VariantResult &r) { return r.launches > 0; });
        cancelled_ = options_.progress && !options_.progress("kernel variants", static_cast<unsigned long long>(done),
                                                             test_.variants.size());
        return !cancelled_;
    }

    Result<void> walk(const Case &which, const StepKind &kind) {
        const bool begun = std::ranges::any_of(test_.variants, [](const VariantResult &r) { return r.launches > 0; });
        if ((begun && late()) || !engine_) return {}; // one model at least, however little time there is
        const auto wanted = [&](std::span<const kernels::Launch> launches) {
            return std::ranges::any_of(launches, [&](const kernels::Launch &l) { return untested(l.variant); });
        };
        const auto seen = [&](const kernels::Launch &launch, const std::optional<Finding> &finding) {
            see(launch, finding, which, kind);
            return report();
        };
        const auto begun_with = [&](const kernels::Variant &variant) { begin(variant); };
        const Result<void> walked = walk_case(*engine_, which, kind, wanted, begun_with, seen);
        if (cancelled_) return Error{Status::cancelled, "the self-test was stopped"};
        if (walked.ok()) return {};
        if (walked.error().status == Status::unsupported && !engine_options_.denied.empty()) return {}; // not without what failed
        if (walked.error().status != Status::device_lost && walked.error().status != Status::device) return walked.error();
        lose();
        return {};
    }

    void see(const kernels::Launch &launch, const std::optional<Finding> &finding, const Case &which, const StepKind &kind) {
        VariantResult *result = result_of(launch.variant);
        if (!result) return;
        if (on_trial_ == launch.variant) note_trial(nullptr);
        ++result->launches;
        if (result->outcome != Outcome::failed) result->outcome = finding ? Outcome::failed : Outcome::passed;
        if (!finding || !result->where.empty()) return;
        result->finding = *finding;
        result->where = fmt::format("{}, {}{}", which.name(), kind.name(),
                                    launch.layer < 0 ? "" : fmt::format(", layer {}", launch.layer));
    }

    // A launch hung or took the device down, and was seen as failed. The test goes on without it, unless that happens again and
    // again or the driver gives no device any more: then the rest is not tested.
    void lose() {
        engine_.reset();
        if (++losses_ > kMostLosses) return;
        for (const VariantResult &result : test_.variants)
            if (result.outcome == Outcome::failed) engine_options_.denied.push_back(kernels::full_name(*result.variant));
        (void)make_engine();
    }

    bool deny_tested() {
        bool more = false;
        for (const VariantResult &result : test_.variants) {
            if (result.launches == 0) continue;
            const auto type = kernels::weight_type_of(*result.variant);
            const auto takes_over = [&](const VariantResult &other) {
                return other.launches == 0 && other.variant->kernel == result.variant->kernel &&
                       kernels::weight_type_of(*other.variant) == type;
            };
            const std::string name = kernels::full_name(*result.variant);
            if (std::ranges::none_of(test_.variants, takes_over) ||
                std::ranges::find(engine_options_.denied, name) != engine_options_.denied.end())
                continue;
            engine_options_.denied.push_back(name);
            more = true;
        }
        return more;
    }

    static constexpr int kMostLosses = 3;
    engine::EngineOptions engine_options_;
    const SelfTestOptions &options_;
    std::shared_ptr<engine::Engine> engine_;
    SelfTest test_;
    Clock::time_point start_ = Clock::now();
    bool cancelled_ = false;
    int losses_ = 0;
    gpu::CacheIdentity identity_;
    const kernels::Variant *on_trial_ = nullptr; // met for the first time, and noted in a file
    std::vector<engine::DeniedVariant> ended_;   // that earlier tests came to their end with
    bool noted_ = false;                         // there is something in that file, or was
};

} // namespace

bool SelfTest::passed() const {
    return validation_messages == 0 &&
           std::ranges::none_of(variants, [](const VariantResult &r) { return r.outcome == Outcome::failed; });
}

Result<SelfTest> self_test(const engine::EngineOptions &engine, const SelfTestOptions &options) {
    return Run(engine, options).run();
}

Result<std::vector<engine::DeniedVariant>> to_deny(engine::Engine &engine, const SelfTest &test,
                                                   std::span<const engine::DeniedVariant> before) {
    std::vector<engine::DeniedVariant> denied;
    for (const VariantResult &result : test.variants)
        if (result.outcome == Outcome::failed) {
            FF_TRY_ASSIGN(const std::span<const std::uint32_t> spirv, engine.spirv_of(*result.variant));
            denied.push_back({result.variant, engine::shader_hash(spirv), result.finding.text()});
        }
    // A profile leaves out variants that the device chooses without it.
    const auto has_result = [&](const engine::DeniedVariant &known) {
        return std::ranges::any_of(test.variants, [&](const VariantResult &result) {
            return result.variant == known.variant && result.outcome != Outcome::not_tested;
        });
    };
    std::ranges::remove_copy_if(before, std::back_inserter(denied), has_result);
    return denied;
}

} // namespace ff::doctor
