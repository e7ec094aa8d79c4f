// Sessions that begin where another one is, on the device and through host memory.
#include "tests/models/fixture.h"

#include <doctest/doctest.h>

using namespace ff::test;

TEST_CASE("a fork goes on as its origin would, and neither sees the other") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    for (const std::size_t length : {63U, 64U}) { // odd and even: the kept inputs lie in either copy
        CAPTURE(length);
        const std::span<const std::uint32_t> tokens(demo.tokens.data(), length);
        firefinch::Session alone(model), origin(model);
        prefill(alone, tokens, demo.vocabulary);
        prefill(origin, tokens, demo.vocabulary);
        const auto want = generate(alone, greedy_options(30)).tokens; // without reading anything: logits went along
        firefinch::Session fork = origin.fork();
        CHECK(generate(origin, greedy_options(11)).tokens == std::vector(want.begin(), want.begin() + 11));
        prefill(origin, demo.greedy, demo.vocabulary); // the origin goes elsewhere
        CHECK(generate(fork, greedy_options(30)).tokens == want);
    }
}

TEST_CASE("a fork of a fresh session has nothing to go on from, and takes a place") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model, 2);
    firefinch::Session fresh(model);
    firefinch::Session fork = fresh.fork();
    const ff_generate_options options = greedy_options(1);
    CHECK(ff_session_generate(fork.get(), &options, nullptr, nullptr) == FF_ERROR_ARGUMENT);
    ff_session *third = nullptr;
    CHECK(ff_session_fork(&third, fork.get(), nullptr) == FF_ERROR_OUT_OF_DEVICE_MEMORY);
    CHECK(third == nullptr);
}

TEST_CASE("a snapshot is gone back to any number of times, by any session") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    firefinch::Session session(model), other(model);
    prefill(session, std::span(demo.tokens).first(33), demo.vocabulary);
    const firefinch::Snapshot snapshot(session);
    const auto want = generate(session, greedy_options(25)).tokens;
    prefill(other, demo.greedy, demo.vocabulary);
    for (firefinch::Session *each : {&session, &other, &session}) {
        each->restore(snapshot);
        CHECK(generate(*each, greedy_options(25)).tokens == want);
    }
    CHECK(snapshot.bytes() > 4 * 4 * 64 * 64 * sizeof(float));
}

TEST_CASE("a snapshot of another model's shape is refused") {
    const auto other = shared_golden("synth-7", ".safetensors");
    if (!other) {
        MESSAGE("skipped: the shared folder's synth-7 is missing");
        return;
    }
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model), foreign = load(other->model);
    firefinch::Session session(model), same(model), foreigner(foreign);
    prefill(session, demo.tokens, demo.vocabulary);
    prefill(same, demo.tokens, demo.vocabulary);
    const firefinch::Snapshot snapshot(foreigner);
    ff_error error{};
    CHECK(ff_session_restore(session.get(), snapshot.get(), &error) == FF_ERROR_ARGUMENT);
    const std::string message = error.message;
    CHECK(message.find("width 128") != std::string::npos);
    CHECK(message.find("width 256") != std::string::npos);
    CHECK(generate(session, greedy_options(5)).tokens == generate(same, greedy_options(5)).tokens);
}
