// What the API says no to, and that nothing has happened then.
#include "tests/models/fixture.h"

#include <doctest/doctest.h>

using namespace ff::test;

namespace {

struct Refusal {
    ff_status status;
    std::string message;
};

Refusal refused_generate(firefinch::Session &session, const ff_generate_options &options) {
    ff_error error{};
    const ff_status status = ff_session_generate(session.get(), &options, nullptr, &error);
    return {status, error.message};
}

} // namespace

TEST_CASE("prefill and evaluate refuse ids beyond the vocabulary and empty prompts, reading nothing") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    firefinch::Session session(model), same(model);
    const std::vector<std::uint32_t> bad = {1, 2, 256, 3};
    std::vector<float> logits(bad.size() * demo.vocabulary, 7.0F);
    ff_error error{};
    CHECK(ff_session_prefill(session.get(), bad.data(), bad.size(), logits.data(), &error) == FF_ERROR_ARGUMENT);
    CHECK(std::string(error.message).find("256") != std::string::npos);
    CHECK(ff_session_evaluate(session.get(), bad.data(), bad.size(), logits.data(), &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_prefill(session.get(), bad.data(), 0, logits.data(), &error) == FF_ERROR_ARGUMENT);
    for (const float untouched : logits) CHECK(untouched == 7.0F);
    CHECK(prefill(session, demo.tokens, demo.vocabulary) == prefill(same, demo.tokens, demo.vocabulary));
}

TEST_CASE("generate refuses what it cannot do, and says which value it was") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    firefinch::Session session(model);
    CHECK(refused_generate(session, greedy_options(1)).status == FF_ERROR_ARGUMENT); // nothing was read yet
    const auto before = prefill(session, demo.tokens, demo.vocabulary);

    const auto refuse = [&](std::string_view word, auto change) {
        ff_generate_options options = greedy_options(5);
        change(options);
        const Refusal refusal = refused_generate(session, options);
        CAPTURE(word);
        CHECK(refusal.status == FF_ERROR_ARGUMENT);
        CHECK(refusal.message.find(word) != std::string::npos);
    };
    const std::vector<std::uint32_t> stops(17, 3), outside = {300};
    refuse("count", [](ff_generate_options &o) { o.count = 0; });
    refuse("temperature", [](ff_generate_options &o) { o.sampling.temperature = -1; });
    refuse("top_p", [](ff_generate_options &o) { o.sampling.top_p = 0; });
    refuse("top_p", [](ff_generate_options &o) { o.sampling.top_p = 1.5F; });
    refuse("penalty_decay", [](ff_generate_options &o) { o.sampling.penalty_decay = -0.5F; });
    refuse("17", [&](ff_generate_options &o) { o.stop_tokens = stops.data(), o.stop_token_count = 17; });
    refuse("300", [&](ff_generate_options &o) { o.stop_tokens = outside.data(), o.stop_token_count = 1; });

    CHECK(generate(session, greedy_options(1)).tokens.front() == argmax(before));
}

TEST_CASE("more sessions than there is room for are refused, and room comes back") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model, 2);
    firefinch::Session first(model);
    {
        firefinch::Session second(model);
        ff_session *third = nullptr;
        ff_error error{};
        CHECK(ff_session_create(&third, model.get(), &error) == FF_ERROR_OUT_OF_DEVICE_MEMORY);
        CHECK(third == nullptr);
        CHECK(std::string(error.message).find('2') != std::string::npos);
        prefill(second, demo.tokens, demo.vocabulary);
    }
    firefinch::Session again(model); // in the slot of a session that had read something
    CHECK(prefill(again, demo.tokens, demo.vocabulary) == prefill(first, demo.tokens, demo.vocabulary));
}

TEST_CASE("versions that this build cannot run are refused by name") {
    for (const std::string name : {"synth-5.2", "synth-6", "synth-7a"}) {
        const auto golden = shared_golden(name, ".safetensors");
        if (!golden) {
            MESSAGE("SKIPPED: no model " << name << " in the shared folder");
            continue;
        }
        CAPTURE(name);
        const firefinch::Checkpoint checkpoint(golden->model.string());
        if (checkpoint.info().runnable != 0) continue; // learned since
        ff_model *model = nullptr;
        ff_error error{};
        CHECK(ff_model_create(&model, engine().get(), checkpoint.get(), nullptr, &error) == FF_ERROR_UNSUPPORTED);
        CHECK(model == nullptr);
        CHECK(std::string(error.message).find(golden->version) != std::string::npos);
    }
}
