// States as files.
#include "tests/models/fixture.h"
#include "tests/models/state_file.h"
#include "tests/support/temporary_file.h"

#include <doctest/doctest.h>

#include <fstream>

using namespace ff::test;

namespace {

ff_status load_status(firefinch::Session &session, const std::string &path, std::string &message) {
    ff_error error{};
    const ff_status status = ff_session_load(session.get(), path.c_str(), &error);
    message = error.message;
    return status;
}

} // namespace

TEST_CASE("a saved state goes on exactly where it was") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    for (const std::size_t length : {63U, 64U}) { // odd and even: the kept inputs lie in either copy
        CAPTURE(length);
        const std::span<const std::uint32_t> tokens(demo.tokens.data(), length);
        firefinch::Session session(model), loaded(model);
        prefill(session, tokens, demo.vocabulary);
        const TemporaryFile file("state");
        session.save(file.path());
        const auto want = generate(session, greedy_options(30)).tokens;
        const auto want_logits = evaluate(session, demo.tokens, demo.vocabulary);

        prefill(loaded, demo.greedy, demo.vocabulary); // whatever was there is gone
        loaded.load(file.path());
        CHECK(generate(loaded, greedy_options(30)).tokens == want);
        CHECK(evaluate(loaded, demo.tokens, demo.vocabulary) == want_logits);

        const firefinch::Model later = load(demo.model); // another day
        firefinch::Session elsewhere(later);
        elsewhere.load(file.path());
        CHECK(generate(elsewhere, greedy_options(30)).tokens == want);
    }
}

TEST_CASE("a state saved after generation and loaded is saved as the same bytes") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    firefinch::Session session(model), loaded(model);
    prefill(session, demo.tokens, demo.vocabulary);
    generate(session, greedy_options(9), 4);
    const TemporaryFile first("first"), second("second");
    session.save(first.path());
    loaded.load(first.path());
    loaded.save(second.path());
    CHECK(read_text(first.path()) == read_text(second.path()));
}

TEST_CASE("a fresh state can be saved and loaded, and there is nothing to go on from") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    firefinch::Session fresh(model), loaded(model);
    const TemporaryFile file("fresh");
    fresh.save(file.path());
    prefill(loaded, demo.tokens, demo.vocabulary);
    loaded.load(file.path());
    const ff_generate_options options = greedy_options(1);
    CHECK(ff_session_generate(loaded.get(), &options, nullptr, nullptr) == FF_ERROR_ARGUMENT);
    CHECK(prefill(loaded, demo.tokens, demo.vocabulary) == prefill(fresh, demo.tokens, demo.vocabulary));
}

TEST_CASE("a file that is no state of this model is refused and changes nothing") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    firefinch::Session session(model), same(model);
    prefill(session, demo.tokens, demo.vocabulary);
    prefill(same, demo.tokens, demo.vocabulary);
    const TemporaryFile good("good"), bad("bad");
    session.save(good.path());
    const std::string bytes = read_text(good.path());
    std::string message;

    CHECK(load_status(session, good.path() + ".missing", message) == FF_ERROR_IO);
    CHECK(message.find("missing") != std::string::npos);
    for (const std::string &damaged : {std::string(), bytes.substr(0, 7), bytes.substr(0, 100),
                                       bytes.substr(0, bytes.size() - 4), std::string(1000, 'x')}) {
        std::ofstream(bad.path(), std::ios::binary) << damaged;
        CAPTURE(damaged.size());
        CHECK(load_status(session, bad.path(), message) != FF_OK);
        CHECK(message.find(bad.path()) != std::string::npos);
    }
    // The model itself is a safetensors file, but no state.
    CHECK(load_status(session, demo.model.string(), message) == FF_ERROR_MODEL_FILE);

    if (const auto other = shared_golden("synth-7", ".safetensors")) {
        const firefinch::Model foreign = load(other->model);
        firefinch::Session foreigner(foreign);
        prefill(foreigner, other->tokens, other->vocabulary);
        foreigner.save(bad.path());
        CHECK(load_status(session, bad.path(), message) == FF_ERROR_MODEL_FILE);
        CHECK(message.find("128") != std::string::npos); // both shapes are named
        CHECK(message.find("256") != std::string::npos);
    }
    const std::uint32_t token = 'e';
    CHECK(prefill(session, std::span(&token, 1), demo.vocabulary) ==
          prefill(same, std::span(&token, 1), demo.vocabulary));
}

TEST_CASE("states are small and do not grow with the text") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    firefinch::Session session(model);
    const TemporaryFile file("size");
    prefill(session, std::span(demo.tokens).first(1), demo.vocabulary);
    session.save(file.path());
    const auto size = std::filesystem::file_size(file.path());
    prefill(session, demo.tokens, demo.vocabulary);
    session.save(file.path());
    CHECK(std::filesystem::file_size(file.path()) == size);
    CHECK(size < 400'000); // 4 layers of 4 heads of 64 x 64, and little else
}
