// Timing the kernels of a decode step leaves no trace in the session, and the roofline is measured and checked.
#include "tests/models/fixture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <optional>

using namespace ff::test;

namespace {

// Nothing where the device has no timestamps.
std::optional<firefinch::ProfileReport> profile(firefinch::Session &session, std::uint32_t steps) {
    try {
        return session.profile(steps);
    } catch (const firefinch::Error &error) {
        if (error.status() != FF_ERROR_UNSUPPORTED) throw;
        MESSAGE(std::string(error.what()));
        return std::nullopt;
    }
}

} // namespace

TEST_CASE("a profiled session goes on exactly where it was") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    for (const std::size_t length : {6U, 7U}) { // the kept inputs lie in either copy
        CAPTURE(length);
        const std::span<const std::uint32_t> tokens(demo.tokens.data(), length);
        Recurrent session(model), same(model);
        prefill(session, tokens, demo.vocabulary);
        prefill(same, tokens, demo.vocabulary);
        for (const std::uint32_t steps : {1U, 4U}) profile(session, steps);
        CHECK(generate(session, greedy_options(9)).tokens == generate(same, greedy_options(9)).tokens);
        CHECK(evaluate(session, demo.tokens, demo.vocabulary) == evaluate(same, demo.tokens, demo.vocabulary));
    }
    firefinch::Session fresh(model);
    profile(fresh, 2);
    const ff_generate_options options = greedy_options(1);
    CHECK(ff_session_generate(fresh.get(), &options, nullptr, nullptr) == FF_ERROR_ARGUMENT); // nothing was read
}

TEST_CASE("a profile covers every launch of a step, and all the bytes it must move") {
    const firefinch::Model model = load(demo_golden().model);
    firefinch::Session session(model);
    const auto profiled = profile(session, 3);
    if (!profiled) return;
    const firefinch::ProfileReport &report = *profiled;
    std::uint64_t calls = 0, bytes = 0;
    for (std::size_t i = 0; i < report.size(); ++i) {
        const ff_kernel_cost cost = report[i];
        CAPTURE(cost.kernel);
        CHECK(cost.microseconds >= 0);
        CHECK(cost.calls_per_token > 0);
        calls += cost.calls_per_token;
        bytes += cost.bytes;
    }
    CHECK(std::string(report[0].kernel) == "embed");
    CHECK(calls == model.statistics().launches_per_token);
    CHECK(bytes == model.statistics().bytes_read_per_token);
    ff_kernel_cost cost = FF_KERNEL_COST_INIT;
    CHECK(ff_profile_report_kernel(report.get(), report.size(), &cost, nullptr) == FF_ERROR_ARGUMENT);
    ff_profile_report *none = nullptr;
    CHECK(ff_session_profile(&none, session.get(), 0, nullptr) == FF_ERROR_ARGUMENT);
}

TEST_CASE("random weights run, and their logits are finite") {
    for (const char *shape : {"4-169m", "5-0.1b", "5-0.4b", "7-0.1b"}) {
        CAPTURE(shape);
        const firefinch::Checkpoint checkpoint = firefinch::Checkpoint::synthetic(shape, "q4_0");
        ff_model_options options = firefinch::model_options();
        options.max_sessions = 1;
        const firefinch::Model model(engine(), checkpoint, options);
        firefinch::Session session(model);
        const std::vector<std::uint32_t> tokens = {1, 50000, 40000, 7};
        const std::vector<float> logits = prefill(session, tokens, checkpoint.info().vocabulary);
        CHECK(std::ranges::all_of(logits, [](float logit) { return std::isfinite(logit) && std::abs(logit) < 1e3F; }));
        CHECK(std::ranges::max(logits) > 0.1F);
    }
}

TEST_CASE("the roofline is measured") { // and its results checked, inside
    ff_roofline found = FF_ROOFLINE_INIT;
    REQUIRE(ff_engine_measure(engine().get(), &found, nullptr) == FF_OK);
    CHECK(found.read_bytes_per_second > 0);
    CHECK(found.multiply_adds_per_second > 0);
}
