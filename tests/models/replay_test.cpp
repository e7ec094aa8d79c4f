// The recorded decode step gives the same bits however tokens are grouped into calls and whoever else is served.
#include "tests/models/fixture.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace ff::test;

namespace {

using Tokens = std::span<const std::uint32_t>;

std::vector<float> last_row(const std::vector<float> &logits, std::size_t vocabulary) {
    return {logits.end() - static_cast<std::ptrdiff_t>(vocabulary), logits.end()};
}

} // namespace

TEST_CASE("token by token, in pieces, or in one call: the same bits") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    std::vector<std::uint32_t> text;
    for (int copy = 0; copy < 5; ++copy) // longer than the prompt ring
        text.insert(text.end(), demo.tokens.begin(), demo.tokens.end());

    Recurrent at_once(model), evaluated(model), single(model), pieces(model);
    const auto want = prefill(at_once, text, demo.vocabulary);
    CHECK(last_row(evaluate(evaluated, text, demo.vocabulary), demo.vocabulary) == want);

    std::vector<float> logits;
    for (const std::uint32_t token : text) logits = prefill(single, Tokens(&token, 1), demo.vocabulary);
    CHECK(logits == want);

    for (std::size_t at = 0, size = 1; at < text.size(); at += size, size = size * 2 + 1)
        logits = prefill(pieces, Tokens(text).subspan(at, std::min(size, text.size() - at)), demo.vocabulary);
    CHECK(logits == want);
}

TEST_CASE("a second run, a reset session and a second model give the same bits") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model), another = load(demo.model);
    Recurrent first(model), second(model), elsewhere(another);
    const auto want = evaluate(first, demo.tokens, demo.vocabulary);
    CHECK(evaluate(second, demo.tokens, demo.vocabulary) == want);
    CHECK(evaluate(elsewhere, demo.tokens, demo.vocabulary) == want);
    first.reset();
    CHECK(evaluate(first, demo.tokens, demo.vocabulary) == want);
}

TEST_CASE("sessions that take turns are as each alone") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model, 3);
    const Tokens one(demo.tokens), two(demo.greedy);
    std::vector<float> alone_one, alone_two;
    {
        Recurrent a(model), b(model);
        alone_one = prefill(a, one, demo.vocabulary);
        alone_two = prefill(b, two, demo.vocabulary);
    }
    Recurrent a(model), b(model), idle(model);
    std::vector<float> logits_a, logits_b;
    for (std::size_t i = 0; i < one.size(); i += 4) {
        logits_a = prefill(a, one.subspan(i, 4), demo.vocabulary);
        logits_b = prefill(b, two.subspan(i, 4), demo.vocabulary);
    }
    CHECK(logits_a == alone_one);
    CHECK(logits_b == alone_two);

    // Generating in turns, too: the sampler's history belongs to the session.
    ff_generate_options options = firefinch::generate_options();
    options.count = 6;
    options.sampling.presence = 0.5F;
    options.sampling.seed = 3;
    const auto text_a = generate(a, options), text_b = generate(b, options), more_a = generate(a, options);
    a.reset();
    Recurrent &again = a;
    prefill(again, one, demo.vocabulary);
    CHECK(generate(again, options).tokens == text_a.tokens);
    CHECK(generate(again, options).tokens == more_a.tokens);
}

TEST_CASE("the decode step is recorded once") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    Recurrent session(model), other(model);
    prefill(session, demo.tokens, demo.vocabulary);
    const std::uint32_t before = model.statistics().recordings;
    evaluate(other, demo.tokens, demo.vocabulary);
    generate(session, greedy_options(20));
    CHECK(model.statistics().recordings == before);
    CHECK(before == 1);
}
