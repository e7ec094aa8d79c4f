// Sessions that run in slices of any length: the same tokens and the same state as in one go, whoever runs in between,
// and wherever a run is cancelled.
#include "tests/models/fixture.h"
#include "runtime/doctor/random_model.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <optional>

using namespace ff;
using namespace ff::test;

namespace {

constexpr std::uint64_t kUnlimited = FF_BUDGET_UNLIMITED, kOneLaunch = 1;

std::vector<std::uint32_t> random_tokens(std::uint64_t seed, std::size_t count, std::uint32_t vocabulary) {
    Random random(seed);
    std::vector<std::uint32_t> tokens;
    for (std::size_t i = 0; i < count; ++i) tokens.push_back(static_cast<std::uint32_t>(random.bits() % vocabulary));
    return tokens;
}

// Until the run is over, or so many slices are submitted.
ff_slice_progress run(firefinch::Session &session, std::uint64_t budget_us, std::uint64_t slices = ~std::uint64_t{0}) {
    ff_slice_progress progress{};
    do {
        progress = session.advance(budget_us);
        if (progress.slice == 0 || budget_us == kUnlimited) session.wait();
    } while (progress.state != FF_RUN_IDLE && progress.slice < slices);
    return progress;
}

// Logits after some more tokens: bits that differ if anything in the state does.
std::vector<float> after_more(firefinch::Session &session, std::size_t vocabulary) {
    const auto more = random_tokens(99, 3, static_cast<std::uint32_t>(vocabulary));
    return prefill(session, more, vocabulary);
}

std::vector<std::uint32_t> first(std::span<const std::uint32_t> tokens, std::size_t count) {
    return {tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(count)};
}

} // namespace

TEST_CASE("slices: every version, at budgets from one launch a call to no limit") {
    for (const loader::Version version :
         {loader::Version::v4_0, loader::Version::v5_0, loader::Version::v5_1, loader::Version::v5_2,
          loader::Version::v6_0, loader::Version::v7_0, loader::Version::v7a}) {
        CAPTURE(loader::label_of(version));
        const auto file = doctor::random_model(doctor::odd_shape(version), loader::DType::f32, 5);
        const firefinch::Checkpoint checkpoint("[synthetic]", file.data(), file.size());
        const firefinch::Model model(engine(), checkpoint);
        const std::uint32_t vocabulary = model.info().vocabulary;
        const auto prompt = random_tokens(3, 128 + 7, vocabulary); // a wide step, and a rest that is read singly
        const ff_generate_options options = greedy_options(9);
        firefinch::Session whole(model);
        whole.prefill(prompt);
        const auto want = generate(whole, options).tokens;
        const auto want_after = after_more(whole, vocabulary);
        for (const std::uint64_t budget : {kOneLaunch, std::uint64_t{2000}, kUnlimited}) {
            CAPTURE(budget);
            firefinch::Session session(model);
            session.start(prompt, &options);
            const ff_slice_progress first_call = session.advance(budget);
            CHECK(first_call.state == FF_RUN_READING);
            if (budget == kOneLaunch) CHECK(first_call.launches == 1);
            const ff_slice_progress end = run(session, budget);
            CHECK(end.state == FF_RUN_IDLE);
            CHECK(end.reason == FF_STOP_LIMIT);
            CHECK(end.prompt_read == prompt.size());
            CHECK(end.produced == want.size());
            CHECK(session.poll() == want);
            CHECK(after_more(session, vocabulary) == want_after);
        }
    }
}

TEST_CASE("slices: a head that is cut into pieces") {
    auto shape = doctor::odd_shape(loader::Version::v7_0);
    shape.vocabulary = static_cast<std::uint32_t>((40ULL << 20) / (4 * shape.width)); // 40 MiB of f32
    const auto file = doctor::random_model(shape, loader::DType::f32, 5);
    const firefinch::Checkpoint checkpoint("[synthetic]", file.data(), file.size());
    const firefinch::Model model(engine(), checkpoint);
    const auto prompt = random_tokens(3, 5, shape.vocabulary);
    const ff_generate_options options = greedy_options(3);
    firefinch::Session whole(model), session(model);
    whole.prefill(prompt);
    const auto want = generate(whole, options).tokens;
    session.start(prompt, &options);
    std::uint64_t launches = 0;
    for (ff_slice_progress progress{}; launches == 0 || progress.state != FF_RUN_IDLE; session.wait()) {
        progress = session.advance(kOneLaunch);
        launches += progress.launches;
    }
    CHECK(session.poll() == want);
    CHECK(launches % (model.launch_count() + 1) == 0); // whole steps, of one launch more
}

TEST_CASE("slices: three sessions in turn, a launch or some at a time, each as if alone") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    struct Character {
        std::vector<std::uint32_t> prompt;
        std::uint64_t budget;
        std::vector<std::uint32_t> want, got;
        std::optional<firefinch::Session> session;
    };
    std::vector<Character> characters(3);
    ff_generate_options options = firefinch::generate_options(); // drawn: an argmax hides differences
    options.count = 12;
    for (std::size_t i = 0; i < characters.size(); ++i) {
        Character &each = characters[i];
        each.prompt = random_tokens(i, i == 1 ? 40 : 9 + i, 256); // one in a wide step
        each.budget = i == 0 ? kOneLaunch : 500 * i;
        options.sampling.seed = i;
        firefinch::Session alone(model);
        alone.prefill(each.prompt);
        each.want = generate(alone, options).tokens;
    }
    for (std::size_t i = 0; i < characters.size(); ++i) {
        options.sampling.seed = i;
        characters[i].session.emplace(model);
        characters[i].session->start(characters[i].prompt, &options);
    }
    CHECK(model.statistics().slice_bytes > 0);
    for (std::size_t running = characters.size(); running > 0;) {
        running = 0;
        for (Character &each : characters) {
            if (each.session->advance(each.budget).state != FF_RUN_IDLE) ++running;
            const auto more = each.session->poll();
            each.got.insert(each.got.end(), more.begin(), more.end());
        }
    }
    for (const Character &each : characters) CHECK(each.got == each.want);
    // What they worked in serves the next ones.
    const std::uint64_t bytes = model.statistics().slice_bytes;
    characters[0].session->start(characters[1].prompt, &options);
    run(*characters[0].session, kUnlimited);
    CHECK(model.statistics().slice_bytes == bytes);
}

TEST_CASE("slices: a run that is cancelled anywhere leaves the state after a whole token") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    const auto prompt = first(demo.tokens, 4);
    const ff_generate_options options = greedy_options(8);
    Recurrent whole(model);
    whole.prefill(prompt);
    const auto want = generate(whole, options).tokens;
    const std::uint64_t launches = model.launch_count();
    for (const std::uint64_t slices : {std::uint64_t{1}, launches / 2, 2 * launches, 3 * launches + 1, 5 * launches + 2,
                                       7 * launches, 7 * launches + launches / 2}) {
        CAPTURE(slices);
        Recurrent session(model), expected(model);
        session.start(prompt, &options);
        run(session, kOneLaunch, slices);
        std::vector<std::uint32_t> tokens = session.poll();
        session.cancel();
        const ff_slice_progress end = run(session, kOneLaunch);
        CHECK(end.state == FF_RUN_IDLE);
        CHECK(end.reason == FF_STOP_CALLBACK);
        const auto rest = session.poll();
        tokens.insert(tokens.end(), rest.begin(), rest.end());
        CHECK(tokens == first(want, tokens.size()));
        CHECK(end.produced == tokens.size());
        CHECK((slices < 5 * launches || end.prompt_read == prompt.size()));
        std::vector<std::uint32_t> read = first(prompt, end.prompt_read);
        read.insert(read.end(), tokens.begin(), tokens.end());
        if (!read.empty()) expected.prefill(read);
        CHECK(after_more(session, demo.vocabulary) == after_more(expected, demo.vocabulary));
    }
}

TEST_CASE("slices: the next call on a cancelled session waits for its end; on a running one it is refused") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    firefinch::Session session(model), expected(model);
    const ff_generate_options options = greedy_options(20);
    session.start(demo.tokens, &options);
    run(session, kOneLaunch, 4);
    session.wait(); // the device has begun
    ff_error error{};
    ff_snapshot *snapshot = nullptr;
    ff_session *fork = nullptr;
    CHECK(ff_session_reset(session.get(), &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_generate(session.get(), &options, nullptr, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_snapshot_create(&snapshot, session.get(), &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_fork(&fork, session.get(), &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_start(session.get(), demo.tokens.data(), 1, &options, &error) == FF_ERROR_ARGUMENT);
    session.cancel();
    const firefinch::Snapshot taken(session); // waits
    const std::uint64_t read = session.advance(0).prompt_read;
    CHECK(read > 0);
    expected.prefill(first(demo.tokens, read));
    firefinch::Session restored(model);
    restored.restore(taken);
    CHECK(after_more(restored, demo.vocabulary) == after_more(expected, demo.vocabulary));
}

TEST_CASE("slices: a callback stops after just its token") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    firefinch::Session session(model), expected(model);
    for (firefinch::Session *each : {&session, &expected}) each->prefill(demo.tokens);
    const auto want = generate(expected, greedy_options(5)).tokens;
    ff_generate_options options = greedy_options(50);
    std::vector<std::uint32_t> got;
    options.payload = &got;
    options.on_token = [](void *payload, std::uint32_t token) -> int {
        auto &tokens = *static_cast<std::vector<std::uint32_t> *>(payload);
        tokens.push_back(token);
        return tokens.size() == 5;
    };
    session.start({}, &options);
    CHECK(run(session, 1000).reason == FF_STOP_CALLBACK);
    CHECK(got == want);
    CHECK(session.poll().empty());
    CHECK(after_more(session, demo.vocabulary) == after_more(expected, demo.vocabulary));
}

TEST_CASE("slices: stop tokens, polls of text, prompts alone") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    const firefinch::Checkpoint checkpoint(demo.model.string());
    const firefinch::Tokenizer tokenizer("auto", &checkpoint);
    firefinch::Session session(model), expected(model);
    session.start(demo.tokens, nullptr);
    const ff_slice_progress read = run(session, 5000);
    CHECK(read.produced == 0);
    CHECK(read.prompt_read == demo.tokens.size());
    expected.prefill(demo.tokens);
    const auto tokens = generate(expected, greedy_options(30)).tokens;
    std::string want;
    for (const std::uint32_t token : tokens) want += tokenizer.decode(token);

    ff_generate_options options = greedy_options(30);
    session.start({}, &options);
    std::string got;
    for (ff_run_state state = FF_RUN_GENERATING; state != FF_RUN_IDLE;) {
        state = session.advance(3000).state;
        got += session.poll_text(tokenizer);
    }
    CHECK(got == want);

    // The first token that differs from those before it ends the run where it stands.
    std::size_t stop = 1;
    while (stop + 1 < tokens.size() &&
           std::count(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(stop), tokens[stop]) != 0)
        ++stop;
    options.stop_tokens = &tokens[stop];
    options.stop_token_count = 1;
    for (const std::uint64_t budget : {kOneLaunch, kUnlimited}) {
        firefinch::Session other(model), reference(model);
        other.start(demo.tokens, &options);
        CHECK(run(other, budget).reason == FF_STOP_TOKEN);
        CHECK(other.poll() == first(tokens, stop));
        reference.prefill(demo.tokens);
        generate(reference, greedy_options(stop));
        CHECK(after_more(other, demo.vocabulary) == after_more(reference, demo.vocabulary));
    }
}

TEST_CASE("slices: a session destroyed in the middle leaves nothing behind") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model, 1);
    const ff_generate_options options = greedy_options(20);
    std::vector<std::uint32_t> want;
    {
        firefinch::Session session(model);
        session.prefill(demo.tokens);
        want = generate(session, options).tokens;
    }
    for (const std::uint64_t slices : {1U, 7U, 100U}) {
        {
            firefinch::Session session(model);
            session.start(demo.tokens, &options);
            run(session, kOneLaunch, slices);
        }
        firefinch::Session session(model);
        session.start(demo.tokens, &options);
        run(session, kUnlimited);
        CHECK(session.poll() == want);
    }
}

TEST_CASE("slices: what cannot be begun is refused, and idle sessions can be advanced") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    firefinch::Session session(model);
    ff_generate_options options = greedy_options(3);
    CHECK(ff_session_start(session.get(), nullptr, 0, &options, nullptr) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_start(session.get(), nullptr, 0, nullptr, nullptr) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_start(session.get(), nullptr, 3, nullptr, nullptr) == FF_ERROR_ARGUMENT);
    const std::uint32_t beyond = 70000;
    CHECK(ff_session_start(session.get(), &beyond, 1, nullptr, nullptr) == FF_ERROR_ARGUMENT);
    options.count = 0;
    CHECK(ff_session_start(session.get(), demo.tokens.data(), 1, &options, nullptr) == FF_ERROR_ARGUMENT);
    const ff_slice_progress progress = session.advance(1000);
    CHECK(progress.state == FF_RUN_IDLE);
    CHECK(progress.slice == 0);
    session.cancel();
    session.wait();
    CHECK(session.poll().empty());
    // A session whose run was refused is as it was.
    session.start(demo.tokens, nullptr);
    CHECK(session.advance(0).slice == 0);
    CHECK(run(session, kUnlimited).prompt_read == demo.tokens.size());
}
