// Logits, greedy continuations and states against the golden files.
#include "tests/models/fixture.h"
#include "tests/models/state_file.h"
#include "tests/support/numbers.h"
#include "tests/support/temporary_file.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace ff::test;

namespace {

struct Source {
    std::string name, suffix;
};
// tiny-rwkv-4v0 has a feed-forward part of zeros and 7v0 is hardly trained: the synthetic models catch more.
const Source kShared[] = {
    {"synth-4", ".safetensors"},       {"synth-5.0", ".safetensors"},     {"synth-5.1", ".safetensors"},
    {"synth-5.2", ".safetensors"},     {"synth-6", ".safetensors"},       {"synth-6", ".gguf"},
    {"synth-7", ".safetensors"},       {"synth-7a", ".safetensors"},      {"tiny-rwkv-4v0", ".safetensors"},
    {"tiny-rwkv-4v0", ".pth"},         {"tiny-rwkv-5v1", ".safetensors"}, {"tiny-rwkv-5v1", ".pth"},
    {"tiny-rwkv-5v2", ".safetensors"}, {"tiny-rwkv-5v2", ".pth"},         {"tiny-rwkv-6v0", ".safetensors"},
    {"tiny-rwkv-6v0", ".pth"},         {"tiny-rwkv-7v0", ".safetensors"}, {"tiny-rwkv-7v0", ".pth"},
    {"tiny-rwkv-7v0", ".gguf"},
};

// Containers and versions that this build does not know are refused elsewhere (refusals_test.cpp, tests/formats).
bool runnable(const Golden &golden) {
    ff_checkpoint *checkpoint = nullptr;
    if (ff_checkpoint_open(&checkpoint, golden.model.string().c_str(), nullptr) != FF_OK) return false;
    ff_model_info info{};
    info.struct_size = sizeof info;
    const ff_status status = ff_checkpoint_info(checkpoint, &info, nullptr);
    ff_checkpoint_close(checkpoint);
    return status == FF_OK && info.runnable != 0;
}

void check_logits(const Golden &golden, const firefinch::Model &model) {
    firefinch::Session session(model);
    const auto logits = evaluate(session, golden.tokens, golden.vocabulary);
    double largest = 0;
    for (std::size_t i = 0; i < logits.size(); ++i)
        largest = std::max(largest, std::fabs(double{logits[i]} - double{golden.logits[i]}));
    MESSAGE(golden.model.filename().string() << ": largest difference of the logits " << largest);
    CHECK(largest < kRight);
    const Difference worst = difference(logits, std::span<const float>(golden.logits)); // large ones by their size
    CHECK_MESSAGE(worst.error < kUsual, describe(worst));
}

void check_greedy(const Golden &golden, const firefinch::Model &model) {
    firefinch::Session session(model);
    prefill(session, golden.tokens, golden.vocabulary);
    const auto generated = generate(session, greedy_options(golden.greedy.size()));
    REQUIRE(generated.tokens.size() == golden.greedy.size());
    for (std::size_t i = 0; i < golden.greedy.size(); ++i) {
        if (generated.tokens[i] == golden.greedy[i]) continue;
        CAPTURE(i);
        CHECK_MESSAGE(golden.greedy_lead[i] < kUsual, "another token although the right one leads clearly");
        return; // after a tie the texts differ
    }
}

void check_state(const Golden &golden, const firefinch::Model &model) {
    if (golden.state.empty()) return;
    firefinch::Session session(model);
    prefill(session, golden.tokens, golden.vocabulary);
    const TemporaryFile file("golden-state");
    session.save(file.path());
    const StateFile saved(file.path());
    std::size_t at = 0;
    for (std::size_t layer = 0; at < golden.state.size(); ++layer)
        for (const StatePart &part : golden.layout) {
            const std::string name = "blocks." + std::to_string(layer) + "." + part.name;
            CAPTURE(name);
            CHECK_CLOSE(saved.tensor(name), std::span(golden.state).subspan(at, part.elements), kUsual);
            at += part.elements;
        }
}

void check(const Golden &golden) {
    CAPTURE(golden.model.string());
    const firefinch::Model model = load(golden.model);
    CHECK(std::string(model.info().version) == golden.version);
    CHECK(model.info().vocabulary == golden.vocabulary);
    check_logits(golden, model);
    check_greedy(golden, model);
    check_state(golden, model);
}

} // namespace

TEST_CASE("the demo model gives its golden logits and text") {
    check(demo_golden());
}

TEST_CASE("models of the shared folder give their golden logits, text and states") {
    for (const Source &source : kShared) {
        const auto golden = shared_golden(source.name, source.suffix);
        if (!golden) {
            MESSAGE("SKIPPED: no golden file or model " << source.name << source.suffix << " in the shared folder");
            continue;
        }
        if (!runnable(*golden)) {
            MESSAGE("SKIPPED: this build does not run " << source.name << source.suffix);
            continue;
        }
        check(*golden);
    }
}
