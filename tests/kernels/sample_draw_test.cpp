// Random choices: each against the probabilities of a float64 reference and the same Philox counter, then all together
// by their frequencies.
#include "tests/kernels/sampler.h"

#include <bit>
#include <cmath>

using namespace ff;
using namespace ff::test;

namespace {

// The token that a share `u` of the probabilities, summed in the order of ids, falls on; and whether `got` lies within
// `slack` of it, as sums in float32 may.
bool falls_on(const reference::Vector &probability, double u, std::size_t got, double slack) {
    double below = 0;
    for (std::size_t i = 0; i < got; ++i) below += probability[i];
    return probability[got] > 0 && u >= below - slack && u < below + probability[got] + slack;
}

double uniform_of(const Sampler &sampler, std::uint32_t counter) {
    return reference::philox({counter, 0, 0, 0}, {sampler.entry.seed_low, sampler.entry.seed_high})[0] * 0x1p-32;
}

struct Settings {
    std::string_view what;
    float temperature, top_p;
    std::uint32_t top_k;
    float presence = 0, frequency = 0, penalty_decay = 1;
    float min_p = 0, typical_p = 1;
    bool bias = false;
};
constexpr Settings kSettings[] = {
    {"temperature", 1.3F, 1, 0},
    {"cold", 0.3F, 1, 0},
    {"top-k", 1, 1, 7},
    {"top-p", 1, 0.8F, 0},
    {"top-p of next to nothing", 1, 1e-7F, 0},
    {"min-p", 1.5F, 1, 0, 0, 0, 1, 0.05F},
    {"typical", 1, 1, 0, 0, 0, 1, 0, 0.6F},
    {"typical, which leaves the best out", 0.5F, 1, 0, 0, 0, 1, 0, 0.2F},
    {"bias", 1, 1, 0, 0, 0, 1, 0, 1, true},
    {"all together", 0.8F, 0.9F, 40, 0.4F, 0.3F, 0.95F, 0.02F, 0.9F, true},
};
constexpr std::size_t kTemperature = 0, kTopK = 2, kTopP = 3, kMinP = 5, kTypical = 6, kBias = 8;

void set(Sampler &sampler, const Settings &settings) {
    sampler.entry.temperature = settings.temperature;
    sampler.entry.top_p = settings.top_p;
    sampler.entry.top_k = settings.top_k;
    sampler.entry.presence = settings.presence;
    sampler.entry.frequency = settings.frequency;
    sampler.entry.penalty_decay = settings.penalty_decay;
    sampler.entry.min_p = settings.min_p;
    sampler.entry.typical_p = settings.typical_p;
    sampler.entry.limit = 1000;
    sampler.entry.bias_count = 0;
    if (!settings.bias) return;
    // Some up, some down; two of them in one invocation's run of tokens.
    const auto vocabulary = static_cast<std::uint32_t>(sampler.logits.size());
    for (const auto &[token, bias] : {std::pair{0U, 2.5F}, {1U, -3.0F}, {40U, 6.0F}, {96U, -100.0F}, {50000U, 7.0F}}) {
        if (token >= vocabulary) continue;
        sampler.entry.bias_tokens[sampler.entry.bias_count] = token;
        sampler.entry.bias_values[sampler.entry.bias_count++] = std::bit_cast<std::uint32_t>(bias);
    }
}

// The chance that chi-square with `freedom` degrees is larger, roughly (Wilson and Hilferty).
double chance_above(double chi_square, double freedom) {
    const double spread = 2 / (9 * freedom);
    const double z = (std::cbrt(chi_square / freedom) - (1 - spread)) / std::sqrt(spread);
    return 0.5 * std::erfc(z / std::sqrt(2.0));
}

} // namespace

TEST_CASE("philox gives the known answers of its authors") { // kat_vectors of Random123 1.08
    using Words = std::array<std::uint32_t, 4>;
    CHECK(reference::philox({0, 0, 0, 0}, {0, 0}) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
    CHECK(reference::philox({~0U, ~0U, ~0U, ~0U}, {~0U, ~0U}) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
    CHECK(reference::philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}) ==
          Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("sample draws what the reference draws from the same counter and key") {
    for (const kernels::Variant *variant : runnable_variants("sample"))
        for (const std::uint32_t vocabulary : {1U, 97U, 256U, 50277U})
            for (const Settings &settings : kSettings) {
                CAPTURE(variant->name);
                CAPTURE(vocabulary);
                CAPTURE(settings.what);
                Sampler sampler(vocabulary, 2);
                Random random(81);
                sampler.logits = random.vector(vocabulary, 2.5);
                set(sampler, settings);
                sampler.entry.seed_low = 0x12345678;
                sampler.entry.seed_high = 0x9abcdef0;
                const std::uint32_t count = vocabulary > 1000 ? 4 : 50;
                sampler.run(variant, count);
                const auto produced = sampler.produced();
                REQUIRE(produced.size() == count);
                reference::Vector counts(vocabulary, 0.0);
                for (std::uint32_t i = 0; i < count; ++i) {
                    const auto probability = reference::probabilities(sampler.logits, counts, sampler.sampling());
                    CAPTURE(i);
                    CHECK(falls_on(probability, uniform_of(sampler, i), produced[i], 1e-5));
                    reference::count_token(counts, produced[i], sampler.sampling().penalty_decay);
                }
            }
}

TEST_CASE("sample: frequencies over many seeds pass a chi-square test") {
    constexpr std::uint32_t kVocabulary = 97, kSeeds = 32, kDraws = 128;
    for (const kernels::Variant *variant : runnable_variants("sample"))
        for (const std::size_t index : {kTemperature, kTopK, kTopP, kMinP, kTypical, kBias}) {
            const Settings &settings = kSettings[index];
            CAPTURE(variant->name);
            CAPTURE(settings.what);
            Sampler sampler(kVocabulary, 0);
            Random random(82);
            sampler.logits = random.vector(kVocabulary, 1);
            set(sampler, settings);
            std::vector<double> seen(kVocabulary, 0.0);
            for (std::uint32_t seed = 0; seed < kSeeds; ++seed) {
                sampler.entry.seed_low = seed; // neighbouring seeds must not show
                sampler.run(variant, kDraws);
                for (const std::uint32_t token : sampler.produced()) seen[token] += 1;
            }
            const auto probability =
                reference::probabilities(sampler.logits, reference::Vector(kVocabulary), sampler.sampling());
            double chi_square = 0, freedom = -1, rare_seen = 0, rare_expected = 0;
            const auto add = [&](double got, double expected) {
                chi_square += (got - expected) * (got - expected) / expected;
                freedom += 1;
            };
            for (std::size_t i = 0; i < kVocabulary; ++i) {
                const double expected = probability[i] * kSeeds * kDraws;
                if (probability[i] == 0) CHECK(seen[i] == 0);
                if (expected >= 5)
                    add(seen[i], expected);
                else
                    rare_seen += seen[i], rare_expected += expected;
            }
            if (rare_expected >= 5) add(rare_seen, rare_expected);
            CAPTURE(chi_square);
            CAPTURE(freedom);
            CHECK(chance_above(chi_square, freedom) > 1e-5);
        }
}

TEST_CASE("sample: one seed, one text; another seed, another text") {
    for (const kernels::Variant *variant : runnable_variants("sample")) {
        CAPTURE(variant->name);
        Sampler sampler(256, 1);
        Random random(83);
        sampler.logits = random.vector(256);
        set(sampler, kSettings[kTemperature]);
        sampler.entry.seed_high = 5;
        sampler.run(variant, 40);
        const auto first = sampler.produced();
        sampler.run(variant, 40);
        CHECK(sampler.produced() == first);
        sampler.entry.seed_high = 6;
        sampler.run(variant, 40);
        CHECK(sampler.produced() != first);
    }
}

TEST_CASE("sample: tokens that tie with the last one kept are kept too") {
    for (const kernels::Variant *variant : runnable_variants("sample"))
        for (const bool by_count : {true, false}) {
            CAPTURE(variant->name);
            CAPTURE(by_count);
            Sampler sampler(300, 0);
            sampler.logits.assign(300, 0.0F);
            for (const std::size_t i : {20U, 120U, 220U})
                sampler.logits[i] = 9; // nearly all of the mass, shared by three
            set(sampler, kSettings[kTemperature]);
            if (by_count)
                sampler.entry.top_k = 2;
            else
                sampler.entry.top_p = 0.5F; // two would do
            sampler.run(variant, 200);
            bool seen[3] = {};
            for (const std::uint32_t token : sampler.produced()) {
                CHECK(token % 100 == 20);
                seen[token / 100] = true;
            }
            CHECK((seen[0] && seen[1] && seen[2]));
        }
}
