// A recurrent model has no cache that grows: after thousands of tokens a session holds and does just what it did at its start.
#include "tests/models/fixture.h"
#include "runtime/doctor/random_model.h"
#include "tests/support/random.h"

#include <doctest/doctest.h>

using namespace ff;
using namespace ff::test;

namespace {

std::vector<std::uint32_t> random_tokens(std::size_t count, std::uint32_t vocabulary) {
    Random random(count);
    std::vector<std::uint32_t> tokens;
    for (std::size_t i = 0; i < count; ++i) tokens.push_back(static_cast<std::uint32_t>(random.bits() % vocabulary));
    return tokens;
}

// What some tokens more take.
struct Taken {
    ff_generate_result generated;
    std::uint64_t sliced_launches; // of a token that is read in slices
    ff_model_statistics model;
    ff_memory_info memory;
};

Taken more_tokens(firefinch::Session &session, const firefinch::Model &model) {
    Taken taken{};
    taken.generated = generate(session, greedy_options(5)).result;
    session.start({1}, nullptr);
    ff_slice_progress progress{};
    do {
        progress = session.advance(1); // a launch a call
        taken.sliced_launches += progress.launches;
        if (progress.slice == 0) session.wait();
    } while (progress.state != FF_RUN_IDLE);
    taken.model = model.statistics();
    taken.memory = engine().memory();
    return taken;
}

} // namespace

TEST_CASE("long context: after thousands of tokens a session takes what it took at its start") {
    for (const loader::Version version : {loader::Version::v4_0, loader::Version::v7_0}) {
        CAPTURE(loader::label_of(version));
        const auto file = doctor::random_model(doctor::odd_shape(version), loader::DType::f16, 5);
        const firefinch::Model model = load_memory(file, 1);
        const auto prompt = random_tokens(4000, model.info().vocabulary);
        firefinch::Session session(model);
        session.prefill(std::vector(prompt.begin(), prompt.begin() + 130)); // wide steps too are made once
        more_tokens(session, model);
        const Taken before = more_tokens(session, model);
        session.prefill(prompt);
        const Taken after = more_tokens(session, model);

        CHECK(after.sliced_launches == before.sliced_launches);
        CHECK(after.sliced_launches == model.launch_count());
        CHECK(after.generated.produced == before.generated.produced);
        CHECK(after.generated.steps == before.generated.steps);
        CHECK(after.generated.submissions == before.generated.submissions);
        CHECK(after.model.recordings == before.model.recordings);
        CHECK(after.model.device_bytes == before.model.device_bytes);
        CHECK(after.memory.allocations == before.memory.allocations);
        CHECK(after.memory.allocated_bytes == before.memory.allocated_bytes);
    }
}
