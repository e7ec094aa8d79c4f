// More sessions than the device keeps states of: what is paged to host memory and back goes on with the same bits.
#include "tests/models/fixture.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <fmt/format.h>

using namespace ff::test;

namespace {

// Room for `resident` sessions on the device.
firefinch::Model load_paged(const std::filesystem::path &file, std::uint32_t sessions, std::uint32_t resident,
                            const char *weights = nullptr) {
    const firefinch::Checkpoint checkpoint(file.string());
    ff_model_options options = firefinch::model_options();
    options.max_sessions = sessions;
    options.weights = weights;
    options.state_memory_bytes = (resident + 3) * checkpoint.session_bytes().device_bytes - 1; // all but a fourth spare
    firefinch::Model model(engine(), checkpoint, options);
    REQUIRE(model.statistics().resident_sessions == resident);
    return model;
}

std::vector<std::uint32_t> prompt_of(std::uint64_t session, std::uint32_t vocabulary) {
    Random random(session);
    std::vector<std::uint32_t> tokens(1 + session % 7);
    for (std::uint32_t &token : tokens) token = static_cast<std::uint32_t>(random.bits() % vocabulary);
    return tokens;
}

ff_generate_options options_of(std::uint64_t session, std::uint64_t turn) { // greedy, and sampled with penalties
    ff_generate_options options = greedy_options(5);
    if (session % 2 == 1) {
        options.sampling.temperature = 1.0F;
        options.sampling.presence = options.sampling.frequency = 0.3F;
        options.sampling.seed = 1000 * session + turn;
    }
    return options;
}

// 200 sessions round-robin, five tokens a turn.
void round_robin(const std::filesystem::path &file, std::uint32_t vocabulary, std::uint64_t turns) {
    constexpr std::uint32_t kSessions = 200, kResident = 9;
    const ff_memory_info before = engine().memory();
    {
        const firefinch::Model one = load(file, 1), model = load_paged(file, kSessions, kResident);
        const ff_session_bytes bytes = firefinch::Checkpoint(file.string()).session_bytes();
        CHECK(model.statistics().device_bytes == one.statistics().device_bytes + (kResident - 1) * bytes.device_bytes +
                                                     (kSessions - 1) * bytes.control_bytes);
        const std::uint64_t loaded = engine().memory().allocated_bytes;
        std::vector<firefinch::Session> sessions;
        std::vector<std::vector<std::uint32_t>> tokens(kSessions);
        for (std::uint32_t i = 0; i < kSessions; ++i) {
            sessions.emplace_back(model);
            sessions.back().set_chunk(1); // prompts token by token: then a session alone has the same bits
            sessions.back().prefill(prompt_of(i, vocabulary));
        }
        for (std::uint64_t turn = 0; turn < turns; ++turn)
            for (std::uint32_t i = 0; i < kSessions; ++i) {
                const Generated more = generate(sessions[i], options_of(i, turn));
                tokens[i].insert(tokens[i].end(), more.tokens.begin(), more.tokens.end());
                REQUIRE(engine().memory().allocated_bytes ==
                        loaded); // what pages the states was there when the model was
            }
        const ff_model_statistics paged = model.statistics();
        CHECK(paged.states_in == turns * kSessions);
        CHECK(paged.states_out >= paged.states_in);
        sessions.clear();

        Recurrent alone(one);
        std::uint64_t produced = 0;
        for (std::uint32_t i = 0; i < kSessions; ++i) {
            alone.reset();
            alone.prefill(prompt_of(i, vocabulary));
            std::vector<std::uint32_t> want;
            for (std::uint64_t turn = 0; turn < turns; ++turn) {
                const Generated more = generate(alone, options_of(i, turn));
                want.insert(want.end(), more.tokens.begin(), more.tokens.end());
            }
            produced += want.size();
            CHECK_MESSAGE(tokens[i] == want, "session " << i);
        }
        CHECK(produced == 5 * turns * kSessions);
        MESSAGE(fmt::format("{} tokens of {} sessions, {} with their state on the device: {} came back, {} left",
                            produced, kSessions, kResident, paged.states_in, paged.states_out));
    }
    const ff_memory_info after = engine().memory();
    CHECK(after.allocations == before.allocations);
    CHECK(after.allocated_bytes == before.allocated_bytes);
}

} // namespace

// FIREFINCH_TEST_LONG=1: 10,000 tokens.
TEST_CASE("paging: 200 sessions round-robin say what each says alone") {
    const char *set = std::getenv("FIREFINCH_TEST_LONG");
    const std::uint64_t turns = set != nullptr && std::string_view(set) == "1" ? 10 : 1;
    const Golden demo = demo_golden();
    const auto tiny = shared_golden("synth-7", ".safetensors");
    const Golden &golden = tiny ? *tiny : demo;
    round_robin(golden.model, static_cast<std::uint32_t>(golden.vocabulary), turns);
}

TEST_CASE("paging: what is in host memory is saved, forked, restored and reset there") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load_paged(demo.model, 6, 1);
    firefinch::Session session(model), other(model);
    CHECK_FALSE(session.resident()); // nothing to keep yet
    session.prefill(demo.tokens);
    const auto want = [&] {
        firefinch::Session fork = session.fork();
        CHECK_FALSE(fork.resident()); // the one place is the origin's
        return generate(fork, greedy_options(20)).tokens;
    }();
    CHECK_FALSE(session.resident()); // the fork needed the place
    const ff_model_statistics before = model.statistics();
    const firefinch::Snapshot snapshot(session);
    firefinch::Session fork = session.fork();
    other.restore(snapshot);
    CHECK(model.statistics().states_in == before.states_in);
    CHECK(model.statistics().states_out == before.states_out);
    session.prefetch();
    CHECK(session.resident());
    session.evict();
    CHECK_FALSE(session.resident());
    session.evict(); // it is there
    for (firefinch::Session *each : {&session, &fork, &other}) {
        CHECK(generate(*each, greedy_options(20)).tokens == want);
        each->reset();
        CHECK(ff_session_generate(each->get(), nullptr, nullptr, nullptr) == FF_ERROR_ARGUMENT);
        each->prefill(demo.tokens);
        CHECK(generate(*each, greedy_options(20)).tokens == want);
        each->evict();
        each->reset();
        each->prefill(demo.tokens);
        CHECK(generate(*each, greedy_options(20)).tokens == want);
    }
}

TEST_CASE("paging: a session in a batch keeps its place") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load_paged(demo.model, 5, 2);
    firefinch::Session first(model), second(model), third(model);
    firefinch::Batch batch(model, 3);
    const auto ignore = [](std::uint32_t) { return true; };
    batch.add(first, {1, 2, 3}, greedy_options(4), ignore);
    batch.add(second, {4, 5}, greedy_options(4), ignore);
    ff_error error{};
    CHECK(ff_session_prefetch(third.get(), &error) == FF_ERROR_OUT_OF_DEVICE_MEMORY);
    CHECK(std::string(error.message).find("state_memory_bytes") != std::string::npos);
    CHECK(ff_session_evict(first.get(), &error) == FF_ERROR_ARGUMENT);
    CHECK(batch.run().produced == 8);
    third.prefill(demo.tokens);
    CHECK_FALSE(first.resident());
}

TEST_CASE("paging: a session that runs in slices keeps its place until it is over") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load_paged(demo.model, 4, 1);
    firefinch::Session sliced(model), other(model);
    other.prefill(demo.tokens);
    const auto want = [&] {
        firefinch::Session fork = other.fork();
        return generate(fork, greedy_options(6)).tokens;
    }();
    sliced.restore(firefinch::Snapshot(other));
    other.prefetch();
    const ff_generate_options options = greedy_options(6);
    REQUIRE(ff_session_start(sliced.get(), nullptr, 0, &options, nullptr) == FF_OK); // the other one leaves for it
    CHECK_FALSE(other.resident());
    CHECK(ff_session_prefetch(other.get(), nullptr) == FF_ERROR_OUT_OF_DEVICE_MEMORY);
    CHECK(ff_session_evict(sliced.get(), nullptr) == FF_ERROR_ARGUMENT);
    ff_slice_progress progress = FF_SLICE_PROGRESS_INIT;
    do {
        REQUIRE(ff_session_advance(sliced.get(), FF_BUDGET_UNLIMITED, &progress, nullptr) == FF_OK);
        REQUIRE(ff_session_wait(sliced.get(), nullptr) == FF_OK);
    } while (progress.state != FF_RUN_IDLE);
    std::vector<std::uint32_t> tokens(7);
    std::size_t count = 0;
    CHECK(ff_session_poll(sliced.get(), tokens.data(), tokens.size(), &count, nullptr) == FF_OK);
    tokens.resize(count);
    CHECK(tokens == want);
    CHECK(generate(other, greedy_options(6)).tokens == want); // there is room again
    CHECK_FALSE(sliced.resident());
}

TEST_CASE("paging: room for less than one session is refused, with the bytes it takes") {
    const Golden demo = demo_golden();
    const firefinch::Checkpoint checkpoint(demo.model.string());
    ff_model_options options = firefinch::model_options();
    options.state_memory_bytes = 3 * checkpoint.session_bytes().device_bytes;
    ff_model *model = nullptr;
    ff_error error{};
    CHECK(ff_model_create(&model, engine().get(), checkpoint.get(), &options, &error) == FF_ERROR_ARGUMENT);
    CHECK(std::string(error.message).find(std::to_string(options.state_memory_bytes)) != std::string::npos);
}

TEST_CASE("the bytes of a session are known beforehand") {
    const Golden demo = demo_golden();
    const firefinch::Checkpoint checkpoint(demo.model.string());
    const ff_session_bytes bytes = checkpoint.session_bytes();
    const firefinch::Model model = load(demo.model, 4), larger = load(demo.model, 5);
    CHECK(larger.statistics().device_bytes - model.statistics().device_bytes ==
          bytes.device_bytes + bytes.control_bytes);
    firefinch::Session session(model);
    session.prefill(demo.tokens);
    const firefinch::Snapshot snapshot(session);
    CHECK(snapshot.bytes() == bytes.snapshot_bytes);
    CHECK(snapshot.encode().size() == bytes.file_bytes);
}

TEST_CASE("a state goes on in a model of other weights and on another device") {
    const Golden demo = demo_golden();
    const firefinch::Model stored = load(demo.model), quantised = load(demo.model, 4, "q8_0");
    firefinch::Session origin(stored);
    origin.prefill(demo.tokens);
    const firefinch::Snapshot snapshot(origin);
    const std::vector<unsigned char> file = snapshot.encode();
    const auto want = generate(origin, greedy_options(20)).tokens;

    // q8_0's own continuation of that state: the same, whichever way it came there.
    firefinch::Session kept(quantised), decoded(quantised);
    kept.restore(snapshot);
    decoded.restore(firefinch::Snapshot(quantised, file.data(), file.size()));
    const auto other_want = generate(kept, greedy_options(20)).tokens;
    CHECK(generate(decoded, greedy_options(20)).tokens == other_want);
    CHECK(std::equal(other_want.begin(), other_want.begin() + 3, want.begin())); // and no other text

    ff_engine_options options = firefinch::engine_options();
    options.device = std::getenv("FIREFINCH_TEST_DEVICE");
    options.profile = "floor";
    const firefinch::Engine floor(options);
    const firefinch::Model elsewhere(floor, firefinch::Checkpoint(demo.model.string()));
    firefinch::Session there(elsewhere);
    there.restore(firefinch::Snapshot(elsewhere, file.data(), file.size()));
    CHECK(generate(there, greedy_options(20)).tokens == want);
}

TEST_CASE("bytes that are no snapshot are refused") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    firefinch::Session session(model);
    std::vector<unsigned char> file = firefinch::Snapshot(session).encode();
    ff_snapshot *snapshot = nullptr;
    for (const std::size_t size : {std::size_t{0}, std::size_t{7}, file.size() - 1})
        CHECK(ff_snapshot_decode(&snapshot, model.get(), file.data(), size, nullptr) != FF_OK);
    CHECK(snapshot == nullptr);
}
