// Many sessions in one step: each gives the tokens it gives alone, whoever is beside it, and whenever others come, end
// or are taken out.
#include "tests/models/fixture.h"
#include "runtime/doctor/random_model.h"
#include "tests/support/numbers.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

#include <map>

using namespace ff;
using namespace ff::test;

namespace {

std::vector<std::uint32_t> random_tokens(std::uint64_t seed, std::size_t count, std::uint32_t vocabulary) {
    Random random(seed);
    std::vector<std::uint32_t> tokens;
    for (std::size_t i = 0; i < count; ++i) tokens.push_back(static_cast<std::uint32_t>(random.bits() % vocabulary));
    return tokens;
}

constexpr std::uint32_t kDemoVocabulary = 256;

struct Talk {
    std::vector<std::uint32_t> prompt;
    ff_generate_options options = greedy_options(20);
    std::size_t stop_after = ~std::size_t{0}; // by callback
    std::vector<std::uint32_t> tokens;        // produced
    std::optional<ff_generate_result> result;

    void join(firefinch::Batch &batch, firefinch::Session &session) {
        tokens.clear();
        result.reset();
        batch.add(
            session, prompt, options,
            [this](std::uint32_t token) {
                tokens.push_back(token);
                return tokens.size() < stop_after;
            },
            [this](const ff_generate_result &ended) { result = ended; });
    }
};

Talk talk(std::vector<std::uint32_t> prompt, std::uint64_t count) {
    Talk made;
    made.prompt = std::move(prompt);
    made.options.count = count;
    return made;
}

std::vector<std::uint32_t> alone(const firefinch::Model &model, const Talk &talk) {
    firefinch::Session session(model);
    if (!talk.prompt.empty()) session.prefill(talk.prompt);
    return generate(session, talk.options, talk.stop_after).tokens;
}

constexpr double kTolerance = 3e-4;

void check_close(const std::vector<float> &got, const std::vector<float> &want, double tolerance) {
    const Difference worst = difference(got, std::span<const float>(want));
    CHECK_MESSAGE(worst.error < tolerance, describe(worst));
}

// That a session's state has read just the prompt and the tokens delivered.
void check_state(const firefinch::Model &model, firefinch::Session &session, const Talk &talk, double tolerance = kTolerance) {
    const std::uint32_t vocabulary = model.info().vocabulary;
    std::vector<std::uint32_t> read = talk.prompt;
    read.insert(read.end(), talk.tokens.begin(), talk.tokens.end());
    const auto more = random_tokens(99, 3, vocabulary);
    read.insert(read.end(), more.begin(), more.end());
    firefinch::Session other(model);
    check_close(prefill(session, more, vocabulary), prefill(other, read, vocabulary), tolerance);
}

} // namespace

TEST_CASE("batch: every version, prompts and generations of different lengths in the same steps") {
    for (const loader::Version version :
         {loader::Version::v4_0, loader::Version::v5_0, loader::Version::v5_1, loader::Version::v5_2,
          loader::Version::v6_0, loader::Version::v7_0, loader::Version::v7a}) {
        CAPTURE(loader::label_of(version));
        const auto file = doctor::random_model(doctor::odd_shape(version), loader::DType::f32, 5);
        const firefinch::Model model = load_memory(file, 5);
        const std::uint32_t vocabulary = model.info().vocabulary;
        std::vector<Talk> talks;
        for (const auto &[length, count] : {std::pair{1, 9}, {5, 3}, {140, 5}, {17, 12}})
            talks.push_back(talk(random_tokens(static_cast<std::uint64_t>(length), static_cast<std::size_t>(length),
                                               vocabulary),
                                 static_cast<std::uint64_t>(count)));
        std::vector<std::vector<std::uint32_t>> want;
        for (const Talk &each : talks) want.push_back(alone(model, each));
        std::vector<firefinch::Session> sessions;
        for (std::size_t i = 0; i < talks.size(); ++i) sessions.emplace_back(model);
        firefinch::Batch batch(model, 4);
        for (std::size_t i = 0; i < talks.size(); ++i) talks[i].join(batch, sessions[i]);
        const ff_batch_progress progress = batch.run();
        CHECK(progress.active == 0);
        CHECK(progress.produced == 9 + 3 + 5 + 12);
        CHECK(progress.prompt_tokens == 1 + 5 + 140 + 17);
        for (std::size_t i = 0; i < talks.size(); ++i) {
            CAPTURE(i);
            CHECK(talks[i].tokens == want[i]);
            REQUIRE(talks[i].result);
            CHECK(talks[i].result->produced == want[i].size());
            CHECK(talks[i].result->reason == FF_STOP_LIMIT);
            check_state(model, sessions[i], talks[i]);
        }
    }
}

TEST_CASE("batch: block formats, prompts and generations in the same steps") {
    const auto file = doctor::random_model(doctor::block_shape(loader::Version::v7_0), loader::DType::bf16, 6);
    for (const char *type : {"q8_0", "q4_k"}) {
        CAPTURE(type);
        const firefinch::Model model = load_memory(file, 4, type);
        std::vector<Talk> talks;
        for (const auto &[length, count] : {std::pair{1, 9}, {21, 4}, {5, 7}})
            talks.push_back(talk(random_tokens(static_cast<std::uint64_t>(length), static_cast<std::size_t>(length),
                                               model.info().vocabulary),
                                 static_cast<std::uint64_t>(count)));
        std::vector<firefinch::Session> sessions;
        for (std::size_t i = 0; i < talks.size(); ++i) sessions.emplace_back(model);
        firefinch::Batch batch(model, 3);
        for (std::size_t i = 0; i < talks.size(); ++i) talks[i].join(batch, sessions[i]);
        CHECK(batch.run().active == 0);
        for (std::size_t i = 0; i < talks.size(); ++i) {
            CAPTURE(i);
            check_state(model, sessions[i], talks[i], counts_inputs() ? 1e-3 : kTolerance);
        }
        sessions.clear();
        for (const Talk &each : talks) CHECK(each.tokens == alone(model, each));
    }
}

TEST_CASE("batch: a slot's tokens are the same to the bit whoever decodes beside it") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model, 8);
    std::vector<Talk> talks;
    for (std::uint64_t i = 0; i < 7; ++i) {
        Talk each = talk(random_tokens(i, 30 + i, kDemoVocabulary), 40);
        each.options.sampling.temperature = 1.0F; // a draw shows differences that an argmax hides
        each.options.sampling.seed = i;
        each.options.sampling.presence = 0.3F;
        each.options.sampling.frequency = 0.2F;
        talks.push_back(each);
    }
    // Prompts are read beforehand: in the batch, all steps are of one size.
    const auto run_with = [&](std::size_t first, std::size_t count) {
        std::vector<firefinch::Session> sessions;
        firefinch::Batch batch(model, 7);
        for (std::size_t i = 0; i < count; ++i) {
            sessions.emplace_back(model);
            sessions.back().prefill(talks[first + i].prompt);
        }
        for (std::size_t i = 0; i < count; ++i) {
            Talk &each = talks[first + i];
            const auto prompt = std::exchange(each.prompt, {});
            each.join(batch, sessions[i]);
            each.prompt = prompt;
        }
        CHECK(batch.run().active == 0);
        std::vector<std::vector<float>> logits;
        for (std::size_t i = 0; i < count; ++i) {
            const std::uint32_t token = 7;
            sessions[i].set_chunk(1);
            logits.push_back(prefill(sessions[i], std::span(&token, 1), demo.vocabulary));
        }
        return logits;
    };
    const auto seven = run_with(0, 7);
    std::vector<std::vector<std::uint32_t>> want;
    for (const Talk &each : talks) want.push_back(each.tokens);
    const auto three = run_with(2, 3);
    for (std::size_t i = 0; i < 3; ++i) {
        CHECK(talks[2 + i].tokens == want[2 + i]);
        CHECK(three[i] == seven[2 + i]); // the states, by what they lead to
    }
}

TEST_CASE("batch: sessions come and go while others generate") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model, 6);
    std::vector<Talk> talks;
    for (std::uint64_t i = 0; i < 5; ++i) talks.push_back(talk(random_tokens(i, 3 + 50 * i, kDemoVocabulary), 8 + 7 * i));
    std::vector<std::vector<std::uint32_t>> want;
    for (const Talk &each : talks) want.push_back(alone(model, each));
    std::vector<firefinch::Session> sessions;
    for (std::size_t i = 0; i < talks.size(); ++i) sessions.emplace_back(model);
    firefinch::Batch batch(model, 3);
    talks[0].join(batch, sessions[0]);
    batch.run(3);
    talks[1].join(batch, sessions[1]);
    talks[4].join(batch, sessions[4]);
    batch.run(1); // part of a prompt
    CHECK_FALSE(talks[4].result);
    ff_error error;
    const ff_batch_request request = FF_BATCH_REQUEST_INIT;
    CHECK(ff_batch_add(batch.get(), sessions[2].get(), &request, &error) == FF_ERROR_ARGUMENT); // no prompt
    CHECK_THROWS_WITH_AS(talks[2].join(batch, sessions[2]), doctest::Contains("3 sessions"), firefinch::Error);
    for (std::size_t next = 2; next < 4;) {
        const std::uint32_t active = batch.run(2).active;
        if (active < 3) {
            talks[next].join(batch, sessions[next]);
            ++next;
        }
    }
    CHECK(batch.run().active == 0);
    for (std::size_t i = 0; i < talks.size(); ++i) {
        CAPTURE(i);
        CHECK(talks[i].tokens == want[i]);
        check_state(model, sessions[i], talks[i]);
    }
}

TEST_CASE("batch: a stop by the caller, a stop token and a removal leave just what was delivered") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model, 6);
    const auto full = alone(model, talk(random_tokens(1, 20, kDemoVocabulary), 30));
    // A token that is produced late for the first time.
    std::map<std::uint32_t, std::size_t> first;
    for (std::size_t i = 0; i < full.size(); ++i) first.emplace(full[i], i);
    std::size_t at = 0;
    for (const auto &[token, place] : first) at = std::max(at, place);
    const std::uint32_t stop = full[at];

    std::vector<Talk> talks(4, talk(random_tokens(1, 20, kDemoVocabulary), 30));
    talks[0].stop_after = 6;
    talks[1].options.stop_tokens = &stop;
    talks[1].options.stop_token_count = 1;
    talks[3].stop_after = 1;
    std::vector<firefinch::Session> sessions;
    for (std::size_t i = 0; i < talks.size(); ++i) sessions.emplace_back(model);
    firefinch::Batch batch(model, 4);
    for (std::size_t i = 0; i < talks.size(); ++i) talks[i].join(batch, sessions[i]);
    batch.run(5);
    CHECK_THROWS_WITH_AS(sessions[2].reset(), doctest::Contains("in a batch"), firefinch::Error);
    const ff_generate_result removed = batch.remove(sessions[2]);
    CHECK(removed.produced == talks[2].tokens.size());
    CHECK(removed.reason == FF_STOP_CALLBACK);
    CHECK_FALSE(talks[2].result);
    CHECK_THROWS_WITH_AS(batch.remove(sessions[2]), doctest::Contains("not in this batch"), firefinch::Error);
    CHECK(batch.run().active == 0);

    const std::size_t lengths[] = {6, at, talks[2].tokens.size(), 1};
    const ff_stop_reason reasons[] = {FF_STOP_CALLBACK, FF_STOP_TOKEN, FF_STOP_CALLBACK, FF_STOP_CALLBACK};
    for (std::size_t i = 0; i < talks.size(); ++i) {
        CAPTURE(i);
        CHECK(talks[i].tokens == std::vector(full.begin(), full.begin() + static_cast<std::ptrdiff_t>(lengths[i])));
        if (talks[i].result) CHECK(talks[i].result->reason == reasons[i]);
        check_state(model, sessions[i], talks[i]);
    }
}

TEST_CASE("batch: a session that was destroyed ends its part, and a batch that is destroyed leaves sessions whole") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model, 3);
    Talk gone = talk(random_tokens(3, 9, kDemoVocabulary), 10), kept = talk(random_tokens(4, 200, kDemoVocabulary), 10);
    const auto want = alone(model, gone);
    firefinch::Session session(model);
    {
        firefinch::Batch batch(model, 2);
        {
            firefinch::Session other(model);
            gone.join(batch, other);
        }
        kept.join(batch, session);
        batch.run(6);
        CHECK(kept.tokens.size() > 1);
        batch.run(7);
        CHECK(gone.tokens == want);
    }
    check_state(model, session, kept);
    session.reset(); // it is free again
}

TEST_CASE("batch: what callbacks throw stops their session and arrives, and the others go on") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model, 2);
    firefinch::Session session(model), other(model);
    firefinch::Batch batch(model, 2);
    Talk calm = talk({1, 2, 3}, 6);
    calm.join(batch, other);
    batch.add(session, {1, 2}, greedy_options(5),
              [](std::uint32_t) -> bool { throw std::runtime_error("from the callback"); });
    CHECK_THROWS_WITH_AS(batch.run(), "from the callback", std::runtime_error);
    CHECK(calm.tokens.size() == 6);
    CHECK(batch.run().active == 0);
}

TEST_CASE("batch: 20 sessions, in steps larger than the small kernels have") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model, 20);
    std::vector<Talk> talks;
    std::vector<firefinch::Session> sessions;
    firefinch::Batch batch(model, 20);
    for (std::uint64_t i = 0; i < 20; ++i) {
        talks.push_back(talk(random_tokens(i, 1 + 9 * i, kDemoVocabulary), 5 + i));
        sessions.emplace_back(model);
    }
    for (std::size_t i = 0; i < talks.size(); ++i) talks[i].join(batch, sessions[i]);
    const ff_batch_progress progress = batch.run();
    CHECK(progress.submissions >= progress.steps);
    sessions.clear();
    for (const std::size_t i : {0U, 7U, 19U}) CHECK(talks[i].tokens == alone(model, talks[i]));
}
