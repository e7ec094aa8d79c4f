// Generation on the device: how far it runs ahead of the caller must never show.
#include "tests/models/fixture.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace ff::test;

namespace {

ff_generate_options sampled(std::uint64_t count, std::uint64_t seed) {
    ff_generate_options options = firefinch::generate_options();
    options.count = count;
    options.sampling.top_p = 0.9F;
    options.sampling.presence = 0.2F;
    options.sampling.frequency = 0.1F;
    options.sampling.seed = seed;
    return options;
}

// The logits after the prompt, `tokens`, and one token more: two states are equal if these bits are.
std::vector<float> probe(Recurrent &session, std::size_t vocabulary) {
    const std::uint32_t token = 'e';
    return prefill(session, std::span(&token, 1), vocabulary);
}

struct Reader {
    Golden demo = demo_golden();
    firefinch::Model model = load(demo.model);
    std::span<const std::uint32_t> prompt = std::span(demo.tokens).first(11);

    std::vector<float> after(std::span<const std::uint32_t> tokens) const {
        Recurrent session(model);
        prefill(session, prompt, demo.vocabulary);
        if (!tokens.empty()) prefill(session, tokens, demo.vocabulary);
        return probe(session, demo.vocabulary);
    }
};

} // namespace

TEST_CASE("any number of steps in flight gives the same tokens and the same state") {
    const Reader reader;
    std::vector<std::uint32_t> want;
    std::vector<float> want_logits;
    for (const std::uint32_t in_flight : {1U, 2U, 3U, 8U, 64U, 1000U, 0U}) {
        CAPTURE(in_flight);
        Recurrent session(reader.model);
        prefill(session, reader.prompt, reader.demo.vocabulary);
        ff_generate_options options = sampled(70, 11);
        options.in_flight = in_flight;
        const Generated generated = generate(session, options);
        CHECK(generated.result.reason == FF_STOP_LIMIT);
        CHECK(generated.result.produced == 70);
        const auto logits = probe(session, reader.demo.vocabulary);
        if (want.empty()) {
            want = generated.tokens;
            want_logits = logits;
            CHECK(want_logits == reader.after(want));
        }
        CHECK(generated.tokens == want);
        CHECK(logits == want_logits);
    }
}

TEST_CASE("more tokens than the ring holds arrive in order") {
    const Reader reader;
    Recurrent fast(reader.model), slow(reader.model);
    prefill(fast, reader.prompt, reader.demo.vocabulary);
    prefill(slow, reader.prompt, reader.demo.vocabulary);
    ff_generate_options options = sampled(600, 12);
    options.in_flight = 64;
    const auto want = generate(fast, options).tokens;
    options.in_flight = 1;
    CHECK(generate(slow, options).tokens == want);
    CHECK(want.size() == 600);
}

TEST_CASE("a callback that stops leaves the state as if only the delivered tokens had been read") {
    const Reader reader;
    for (const std::uint32_t in_flight : {1U, 8U, 64U})
        for (const std::size_t stop_after : {1U, 2U, 3U, 7U, 8U, 9U, 33U, 40U}) {
            CAPTURE(in_flight);
            CAPTURE(stop_after);
            Recurrent session(reader.model);
            prefill(session, reader.prompt, reader.demo.vocabulary);
            ff_generate_options options = sampled(40, 13);
            options.in_flight = in_flight;
            const Generated generated = generate(session, options, stop_after);
            CHECK(generated.result.reason == FF_STOP_CALLBACK);
            CHECK(generated.result.produced == stop_after);
            CHECK(generated.tokens.size() == stop_after);
            CHECK(probe(session, reader.demo.vocabulary) == reader.after(generated.tokens));
        }
}

TEST_CASE("a stop token ends the text, is not delivered and not read") {
    const Reader reader;
    Recurrent whole(reader.model);
    prefill(whole, reader.prompt, reader.demo.vocabulary);
    const auto text = generate(whole, sampled(60, 14)).tokens;
    const std::uint32_t stop = text[31];
    const auto first = std::find(text.begin(), text.end(), stop);
    for (const std::uint32_t in_flight : {1U, 8U, 64U}) {
        CAPTURE(in_flight);
        Recurrent session(reader.model);
        prefill(session, reader.prompt, reader.demo.vocabulary);
        ff_generate_options options = sampled(60, 14);
        options.in_flight = in_flight;
        const std::uint32_t stops[] = {255, stop};
        options.stop_tokens = stops;
        options.stop_token_count = 2;
        const Generated generated = generate(session, options);
        CHECK(generated.result.reason == FF_STOP_TOKEN);
        CHECK(generated.tokens == std::vector<std::uint32_t>(text.begin(), first));
        CHECK(probe(session, reader.demo.vocabulary) == reader.after(generated.tokens));
    }
}

TEST_CASE(
    "a text generated in pieces is the text generated at once") { // without penalties, which each call begins anew
    const Reader reader;
    Recurrent whole(reader.model), pieces(reader.model);
    prefill(whole, reader.prompt, reader.demo.vocabulary);
    prefill(pieces, reader.prompt, reader.demo.vocabulary);
    const auto want = generate(whole, greedy_options(50)).tokens;
    std::vector<std::uint32_t> got;
    for (const std::uint64_t count : {1, 2, 7, 20, 1, 19}) {
        const auto piece = generate(pieces, greedy_options(count)).tokens;
        got.insert(got.end(), piece.begin(), piece.end());
    }
    CHECK(got == want);
}

TEST_CASE("without a callback the state is the same, and the result counts") {
    const Reader reader;
    Recurrent with(reader.model), without(reader.model);
    prefill(with, reader.prompt, reader.demo.vocabulary);
    prefill(without, reader.prompt, reader.demo.vocabulary);
    const ff_generate_options options = sampled(30, 15);
    const Generated generated = generate(with, options);
    ff_generate_result result{};
    result.struct_size = sizeof result;
    ff_error error{};
    REQUIRE(ff_session_generate(without.get(), &options, &result, &error) == FF_OK);
    CHECK(result.produced == 30);
    CHECK(result.steps >= 30);
    CHECK(result.submissions >= 1);
    CHECK(result.seconds > 0);
    CHECK(probe(without, reader.demo.vocabulary) == probe(with, reader.demo.vocabulary));
    CHECK(generated.tokens.size() == 30);
}
