// Prompts read many tokens a step, against the same read one after the other (which golden_test.cpp and the plan walks
// hold against float64): logits of every row, what comes after, and the state, on lengths that are no multiple of
// anything.
#include "tests/models/fixture.h"
#include "runtime/doctor/random_model.h"
#include "tests/support/numbers.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

#include <iterator>
#include <numeric>

using namespace ff;
using namespace ff::test;

namespace {

// Two orders of summation in float32; hundreds of tokens of a trained model add up more.
constexpr double kTolerance = 5e-5, kTrainedTolerance = 3e-4;

constexpr loader::Version kVersions[] = {loader::Version::v4_0, loader::Version::v5_0, loader::Version::v5_1,
                                         loader::Version::v5_2, loader::Version::v6_0, loader::Version::v7_0,
                                         loader::Version::v7a};

std::vector<std::uint32_t> random_tokens(std::size_t count, std::uint32_t vocabulary) {
    Random random(count);
    std::vector<std::uint32_t> tokens;
    for (std::size_t i = 0; i < count; ++i) tokens.push_back(static_cast<std::uint32_t>(random.bits() % vocabulary));
    return tokens;
}

void check_same(const std::vector<float> &got, const std::vector<float> &want, double tolerance) {
    const Difference worst = difference(got, std::span<const float>(want));
    CHECK_MESSAGE(worst.error < tolerance, describe(worst));
}

// Reads a prompt in steps of at most `chunk`, then what follows one by one.
void compare(const firefinch::Model &model, std::size_t count, std::uint32_t chunk, double tolerance = kTolerance) {
    CAPTURE(count);
    CAPTURE(chunk);
    const std::uint32_t vocabulary = model.info().vocabulary;
    const auto tokens = random_tokens(count, vocabulary), more = random_tokens(3, vocabulary);
    firefinch::Session wide(model), single(model);
    wide.set_chunk(chunk);
    single.set_chunk(1);
    check_same(evaluate(wide, tokens, vocabulary), evaluate(single, tokens, vocabulary), tolerance);
    single.set_chunk(0);
    wide.set_chunk(1); // the states by what they lead to
    check_same(evaluate(wide, more, vocabulary), evaluate(single, more, vocabulary), tolerance);
    wide.reset();
    single.reset();
    wide.set_chunk(chunk);
    single.set_chunk(1);
    check_same(prefill(wide, tokens, vocabulary), prefill(single, tokens, vocabulary), tolerance);
    const auto want = generate(single, greedy_options(5)).tokens;
    CHECK(generate(wide, greedy_options(5)).tokens == want);
}

// Prompts of every one of `lengths`, which rise, read in steps of at most `chunk`: the logits of every row, those of the last
// alone, and the one token after, which shows the state; all against one reading token by token.
void compare_lengths(const firefinch::Model &model, std::span<const std::size_t> lengths, std::uint32_t chunk, double tolerance) {
    const std::uint32_t vocabulary = model.info().vocabulary;
    const auto tokens = random_tokens(lengths.back() + 1, vocabulary);
    firefinch::Session single(model), wide(model);
    single.set_chunk(1);
    const auto want = evaluate(single, tokens, vocabulary);
    const auto want_rows = [&](std::size_t first, std::size_t count) {
        const auto begin = want.begin() + static_cast<std::ptrdiff_t>(first * vocabulary);
        return std::vector(begin, begin + static_cast<std::ptrdiff_t>(count * vocabulary));
    };
    for (const std::size_t count : lengths) {
        CAPTURE(count);
        const auto prompt = std::span(tokens).first(count), next = std::span(tokens).subspan(count, 1);
        for (const bool all_rows : {true, false}) {
            wide.reset();
            wide.set_chunk(chunk);
            if (all_rows) check_same(evaluate(wide, prompt, vocabulary), want_rows(0, count), tolerance);
            else check_same(prefill(wide, prompt, vocabulary), want_rows(count - 1, 1), tolerance);
            wide.set_chunk(1);
            check_same(evaluate(wide, next, vocabulary), want_rows(count, 1), tolerance);
        }
    }
}

} // namespace

TEST_CASE("wide steps: every version, every plain type, odd shapes and lengths") {
    for (const loader::Version version : kVersions)
        for (const loader::DType dtype : {loader::DType::f32, loader::DType::f16, loader::DType::bf16}) {
            if (dtype != loader::DType::f32 && version != loader::Version::v7a) continue; // the kernels are the same
            CAPTURE(loader::label_of(version));
            CAPTURE(loader::name_of(dtype));
            const auto file = doctor::random_model(doctor::odd_shape(version), dtype, 5);
            const firefinch::Model model = load_memory(file, 2);
            compare(model, 5, 3);
            compare(model, 71, 64); // two tiles of tokens, then a few
        }
}

TEST_CASE("wide steps: every version, every length from one token to three chunks of eight") {
    std::size_t lengths[24];
    std::iota(std::begin(lengths), std::end(lengths), 1);
    for (const loader::Version version : kVersions) {
        CAPTURE(loader::label_of(version));
        const auto file = doctor::random_model(doctor::odd_shape(version), loader::DType::f32, 5);
        compare_lengths(load_memory(file, 2), lengths, 8, kTolerance);
    }
}

TEST_CASE("wide steps: every block format") {
    const auto file = doctor::random_model(doctor::block_shape(loader::Version::v7_0), loader::DType::bf16, 6);
    const double tolerance = counts_inputs() ? 5e-4 : kTolerance;
    for (const char *type : {"q8_0", "q4_0", "q4_1", "q5_0", "q5_1", "q4_k", "q5_k", "q6_k", "nf4"}) {
        CAPTURE(type);
        compare(load_memory(file, 2, type), 9, 7, tolerance);
    }
}

TEST_CASE("wide steps: the demo model on lengths around one, two and three of the library's own chunks") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    const std::size_t lengths[] = {16, 127, 128, 129, 255, 257, 300, 384};
    compare_lengths(model, lengths, 0, kTrainedTolerance);
    compare(model, 129, 0, kTrainedTolerance); // and what is generated afterwards
}

TEST_CASE("wide steps: a step's rows do not depend on how the prompt was cut") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    const auto tokens = random_tokens(100, 256);
    firefinch::Session one(model), other(model);
    one.set_chunk(100);
    other.set_chunk(37);
    CHECK(evaluate(one, tokens, 256) == evaluate(other, tokens, 256)); // to the bit
    one.set_chunk(1);
    other.set_chunk(1);
    const auto more = random_tokens(3, 256);
    CHECK(evaluate(one, more, 256) == evaluate(other, more, 256));
}

TEST_CASE("wide steps: sessions do not disturb each other") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    const auto mine = random_tokens(50, 256), theirs = random_tokens(60, 256);
    firefinch::Session alone(model);
    const auto want = prefill(alone, mine, 256);
    firefinch::Session session(model), other(model);
    prefill(other, theirs, 256);
    CHECK(prefill(session, mine, 256) == want);
    const auto text = generate(other, greedy_options(5)).tokens;
    prefill(session, theirs, 256);
    other.reset();
    prefill(other, theirs, 256);
    CHECK(generate(other, greedy_options(5)).tokens == text);
}
