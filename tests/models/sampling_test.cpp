// Generated texts against the float64 sampler, fed with the logits that the model itself evaluates.
#include "tests/models/fixture.h"
#include "runtime/reference/reference.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <limits>

using namespace ff;
using namespace ff::test;

namespace {

// Whether a share `u` of the probabilities, summed in the order of ids, falls on `token`, give or take float32's sums.
bool falls_on(const reference::Vector &probability, double u, std::size_t token) {
    constexpr double kSlack = 1e-5;
    double below = 0;
    for (std::size_t i = 0; i < token; ++i) below += probability[i];
    return probability[token] > 0 && u >= below - kSlack && u < below + probability[token] + kSlack;
}

void check_text(const firefinch::Model &model, const Golden &demo, const ff_sampling &sampling) {
    firefinch::Session session(model), reader(model);
    std::vector<float> logits = prefill(reader, demo.tokens, demo.vocabulary);
    prefill(session, demo.tokens, demo.vocabulary);
    ff_generate_options options = firefinch::generate_options();
    options.count = 80;
    options.sampling = sampling;
    const reference::Sampling want{.temperature = sampling.temperature,
                                   .top_p = sampling.top_p,
                                   .presence = sampling.presence,
                                   .frequency = sampling.frequency,
                                   .penalty_decay = sampling.penalty_decay,
                                   .top_k = sampling.top_k,
                                   .min_p = sampling.min_p,
                                   .typical_p = sampling.typical_p,
                                   .logit_bias = {}};
    for (int call = 0; call < 2; ++call) { // counts and random numbers begin anew with each call
        reference::Vector counts(demo.vocabulary, 0.0);
        std::uint32_t step = 0;
        for (const std::uint32_t token : generate(session, options).tokens) {
            CAPTURE(call);
            CAPTURE(step);
            const auto bits = reference::philox({step++, 0, 0, 0}, {static_cast<std::uint32_t>(sampling.seed),
                                                                    static_cast<std::uint32_t>(sampling.seed >> 32)});
            CHECK(falls_on(reference::probabilities(logits, counts, want), bits[0] * 0x1p-32, token));
            reference::count_token(counts, token, want.penalty_decay);
            logits = prefill(reader, std::span(&token, 1), demo.vocabulary);
        }
    }
}

} // namespace

TEST_CASE("generated tokens are those the reference sampler draws") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    ff_sampling sampling = firefinch::sampling();
    sampling.seed = 0x1234567890abcdefULL;
    check_text(model, demo, sampling);
    sampling.temperature = 1.5F;
    sampling.top_k = 20;
    sampling.presence = 0.3F;
    sampling.frequency = 0.4F;
    sampling.penalty_decay = 0.9F;
    check_text(model, demo, sampling);
    sampling.top_k = 0;
    sampling.min_p = 0.02F;
    sampling.typical_p = 0.8F;
    check_text(model, demo, sampling);
}

TEST_CASE("a logit bias is added to its token's logit, once for each time it is named") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    const auto text = [&](std::vector<ff_logit_bias> bias, std::size_t count) {
        firefinch::Session session(model);
        prefill(session, demo.tokens, demo.vocabulary);
        ff_generate_options options = greedy_options(count);
        options.sampling.logit_bias = bias.data();
        options.sampling.logit_bias_count = bias.size();
        return generate(session, options).tokens;
    };
    const std::vector<std::uint32_t> plain = text({}, 20);
    CHECK(text({{'~', 0.0F}}, 20) == plain);
    CHECK(text({{'~', 60.0F}, {'~', 60.0F}}, 5) == std::vector<std::uint32_t>(5, '~'));
    CHECK(text({{'~', 100.0F}, {'~', -100.0F}}, 20) == plain);
    const auto without = text({{plain[0], -100.0F}}, 20);
    CHECK(std::count(without.begin(), without.end(), plain[0]) == 0);

    firefinch::Session session(model);
    prefill(session, demo.tokens, demo.vocabulary);
    const auto status = [&](std::vector<ff_logit_bias> bias) {
        ff_generate_options options = greedy_options(1);
        options.sampling.logit_bias = bias.data();
        options.sampling.logit_bias_count = bias.size();
        return ff_session_generate(session.get(), &options, nullptr, nullptr);
    };
    CHECK(status({{256, 1.0F}}) == FF_ERROR_ARGUMENT);
    CHECK(status({{0, std::numeric_limits<float>::infinity()}}) == FF_ERROR_ARGUMENT);
    std::vector<ff_logit_bias> all;
    for (std::uint32_t token = 0; token < 256; ++token) all.push_back({token, 0.5F});
    CHECK(status(all) == FF_OK);
}

TEST_CASE("one seed, one text") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    std::vector<std::vector<std::uint32_t>> texts;
    for (const std::uint64_t seed : {5ULL, 5ULL, 6ULL, 5ULL + (1ULL << 32)}) {
        firefinch::Session session(model);
        prefill(session, demo.tokens, demo.vocabulary);
        ff_generate_options options = firefinch::generate_options();
        options.count = 40;
        options.sampling.seed = seed;
        texts.push_back(generate(session, options).tokens);
    }
    CHECK(texts[0] == texts[1]);
    CHECK(texts[0] != texts[2]);
    CHECK(texts[0] != texts[3]); // all 64 bits count
}
