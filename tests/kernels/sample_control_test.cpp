// What the end of a step leaves in the control block, and greedy choices.
#include "tests/kernels/sampler.h"

#include <cstring>
#include <limits>

using namespace ff;
using namespace ff::test;

namespace {

Sampler greedy_sampler(std::uint32_t vocabulary, std::uint64_t seed) {
    Sampler sampler(vocabulary, 1);
    Random random(seed);
    sampler.logits = random.vector(vocabulary, 3);
    sampler.entry.limit = 200;
    sampler.entry.top_p = 1;
    sampler.entry.penalty_decay = 1;
    return sampler;
}

} // namespace

TEST_CASE("sample: temperature 0 takes the best token") {
    for (const kernels::Variant *variant : runnable_variants("sample"))
        for (const std::uint32_t vocabulary : {1U, 97U, 256U, 50277U}) {
            CAPTURE(variant->name);
            CAPTURE(vocabulary);
            Sampler sampler = greedy_sampler(vocabulary, 71);
            sampler.run(variant, 1);
            const std::size_t want = reference::greedy(sampler.logits, reference::Vector(vocabulary), {});
            CHECK(sampler.produced() == std::vector<std::uint32_t>{static_cast<std::uint32_t>(want)});
        }
}

TEST_CASE("sample: the lowest id wins a tie, NaN never does") {
    for (const kernels::Variant *variant : runnable_variants("sample")) {
        CAPTURE(variant->name);
        Sampler sampler = greedy_sampler(1000, 72);
        for (const std::size_t i : {999U, 700U, 301U}) sampler.logits[i] = 50;
        sampler.logits[17] = std::numeric_limits<float>::quiet_NaN();
        sampler.logits[18] = -std::numeric_limits<float>::infinity();
        sampler.run(variant, 1);
        CHECK(sampler.produced() == std::vector<std::uint32_t>{301});
        sampler.entry.top_k = 1; // greedy at any temperature
        sampler.entry.temperature = 2;
        sampler.run(variant, 1);
        CHECK(sampler.produced() == std::vector<std::uint32_t>{301});
        sampler.logits.assign(1000, -std::numeric_limits<float>::infinity());
        sampler.logits[5] = -3;
        sampler.entry.top_k = 0;
        sampler.run(variant, 1);
        CHECK(sampler.produced() == std::vector<std::uint32_t>{5});
    }
}

TEST_CASE("sample: greedy with penalties turns to other tokens as the reference does") {
    for (const kernels::Variant *variant : runnable_variants("sample")) {
        CAPTURE(variant->name);
        Sampler sampler = greedy_sampler(97, 73);
        sampler.entry.presence = 0.6F;
        sampler.entry.frequency = 0.7F;
        sampler.entry.penalty_decay = 0.9F;
        sampler.run(variant, 60);
        reference::Vector counts(97, 0.0);
        const auto produced = sampler.produced();
        REQUIRE(produced.size() == 60);
        for (const std::uint32_t token : produced) {
            CHECK(token == reference::greedy(sampler.logits, counts, sampler.sampling()));
            reference::count_token(counts, token, sampler.sampling().penalty_decay);
        }
    }
}

TEST_CASE("sample: a step that reads a prompt token without sampling") {
    for (const kernels::Variant *variant : runnable_variants("sample")) {
        CAPTURE(variant->name);
        Sampler sampler = greedy_sampler(97, 74);
        sampler.header.run = 1;
        sampler.header.sample = 0;
        sampler.header.prompt = 1;
        sampler.entry.prompt_read = 400;
        sampler.entry.prompt_end = 407;
        sampler.entry.parity = 1;
        sampler.run(variant, 3);
        const shader::ControlEntry after = sampler.entry_after();
        CHECK(after.prompt_read == 403);
        CHECK(after.prompt_end == 407);
        CHECK(after.parity == 0);
        CHECK(after.produced == 0);
        CHECK(sampler.steps_after() == 3);
    }
}

TEST_CASE("sample: a step that reads the pending token leaves a prompt alone that came meanwhile") {
    for (const kernels::Variant *variant : runnable_variants("sample")) {
        CAPTURE(variant->name);
        Sampler sampler = greedy_sampler(97, 75);
        sampler.header.run = 1;
        sampler.header.sample = 0;
        sampler.entry.pending = 1;
        sampler.entry.prompt_read = 4;
        sampler.entry.prompt_end = 6; // appended by the host after `embed` had looked
        sampler.run(variant, 1);
        CHECK(sampler.entry_after().pending == 0);
        CHECK(sampler.entry_after().prompt_read == 4);
    }
}

TEST_CASE("sample: steps without work only count") {
    for (const kernels::Variant *variant : runnable_variants("sample")) {
        CAPTURE(variant->name);
        Sampler sampler = greedy_sampler(97, 76);
        sampler.header.sample = 0;
        sampler.entry.pending = 1;
        sampler.entry.next_token = 12;
        sampler.run(variant, 5);
        const shader::ControlEntry after = sampler.entry_after();
        CHECK(std::memcmp(&after, &sampler.entry, sizeof after) == 0);
        CHECK(sampler.steps_after() == 5);
    }
}

TEST_CASE("sample: the limit halts, and so does a stop token, which is not delivered") {
    for (const kernels::Variant *variant : runnable_variants("sample")) {
        CAPTURE(variant->name);
        Sampler sampler = greedy_sampler(97, 77);
        sampler.entry.limit = 4;
        sampler.run(variant, 4);
        shader::ControlEntry after = sampler.entry_after();
        CHECK(after.produced == 4);
        CHECK(after.halt == shader::kHaltLimit);
        CHECK(after.pending == 1);
        CHECK(after.next_token == sampler.produced().back());

        const std::uint32_t best = sampler.produced().back();
        sampler.entry.stop_count = 3;
        sampler.entry.stop_tokens[2] = best;
        sampler.run(variant, 1);
        after = sampler.entry_after();
        CHECK(after.produced == 0);
        CHECK(after.halt == shader::kHaltStopToken);
        CHECK(after.pending == 0);
    }
}
