// Weights kept in another type than the file's.
#include "tests/models/fixture.h"
#include "tests/support/numbers.h"

#include <doctest/doctest.h>

#include <cmath>

using namespace ff::test;

namespace {

// Mean over the tokens of the Kullback-Leibler divergence of softmax(got) from softmax(want), in nats.
double divergence(const std::vector<float> &got, const Golden &golden) {
    const auto log_softmax = [&](std::span<const float> row) {
        double sum = 0;
        const double top = row[argmax(row)];
        for (const float logit : row) sum += std::exp(logit - top);
        std::vector<double> logs;
        for (const float logit : row) logs.push_back(logit - top - std::log(sum));
        return logs;
    };
    double total = 0;
    for (std::size_t token = 0; token < golden.tokens.size(); ++token) {
        const auto p = log_softmax(golden.row(token));
        const auto q = log_softmax(std::span(got).subspan(token * golden.vocabulary, golden.vocabulary));
        for (std::size_t i = 0; i < p.size(); ++i) total += std::exp(p[i]) * (p[i] - q[i]);
    }
    return total / static_cast<double>(golden.tokens.size());
}

std::vector<float> logits_of(const Golden &golden, const char *weights) {
    const firefinch::Model model = load(golden.model, 1, weights);
    firefinch::Session session(model);
    return evaluate(session, golden.tokens, golden.vocabulary);
}

} // namespace

TEST_CASE("float16 weights widened to float32 are the same model") {
    const Golden demo = demo_golden();
    CHECK_CLOSE(logits_of(demo, "f32"), std::span<const float>(demo.logits), kUsual);
    CHECK_CLOSE(logits_of(demo, "f16"), std::span<const float>(demo.logits), kUsual);
}

TEST_CASE("weights rounded to 16 bits stay near") {
    const Golden demo = demo_golden(); // float16 in the file
    const double bf16 = divergence(logits_of(demo, "bf16"), demo);
    MESSAGE("demo-rwkv7: bf16 weights diverge by " << bf16 << " nats a token");
    CHECK(bf16 < 1e-5);
    const auto single = shared_golden("tiny-rwkv-4v0", ".safetensors"); // float32 in the file
    if (!single) {
        MESSAGE("SKIPPED: no golden file or model tiny-rwkv-4v0 in the shared folder");
        return;
    }
    const double f16 = divergence(logits_of(*single, "f16"), *single);
    MESSAGE("tiny-rwkv-4v0: f16 weights diverge by " << f16 << " nats a token");
    CHECK(f16 < 1e-5);
    CHECK(f16 > 1e-12); // they were rounded indeed
}

TEST_CASE("16-bit weights take half the memory") {
    const Golden demo = demo_golden();
    const auto bytes = [&](const char *weights) {
        return load(demo.model, 1, weights).statistics().bytes_read_per_token;
    };
    CHECK(bytes("f32") > bytes("f16") * 18 / 10);
    CHECK(bytes("bf16") == bytes("f16"));
}

TEST_CASE("a weight type that does not exist is refused by name") {
    const Golden demo = demo_golden();
    try {
        load(demo.model, 1, "q9_9");
        FAIL("q9_9 was accepted");
    } catch (const firefinch::Error &error) {
        CHECK(error.status() == FF_ERROR_ARGUMENT);
        CHECK(std::string(error.what()).find("q9_9") != std::string::npos);
    }
}
