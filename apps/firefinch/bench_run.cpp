#include "bench_run.h"

#include "failure.h"
#include "system.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include <fmt/format.h>

namespace program {
namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr std::uint32_t kFirstToken = 0;    // every vocabulary has one
constexpr std::size_t kPrefillPiece = 4096; // tokens between two looks at Ctrl-C: whole steps of any width
constexpr std::uint64_t kProfiledSteps = 32;
constexpr std::uint64_t kWarmUp = 16; // tokens

void check_interrupt() {
    if (interrupted()) throw Interrupted();
}

void rest(double seconds) {
    const auto end = Clock::now() + Seconds(seconds);
    for (auto now = Clock::now(); now < end; now = Clock::now()) {
        check_interrupt();
        std::this_thread::sleep_for(std::min<Seconds>(end - now, std::chrono::milliseconds(50)));
    }
}

std::vector<std::uint32_t> random_tokens(std::uint64_t count, std::uint32_t vocabulary) {
    std::mt19937 random(1); // NOLINT(cert-msc51-cpp): the same in every run
    std::vector<std::uint32_t> tokens(count);
    for (std::uint32_t &token : tokens) token = static_cast<std::uint32_t>(random() % vocabulary);
    return tokens;
}

void read_in_pieces(firefinch::Session &session, const std::vector<std::uint32_t> &tokens) {
    for (std::size_t done = 0; done < tokens.size(); done += kPrefillPiece) {
        check_interrupt();
        session.prefill(tokens.data() + done, std::min(kPrefillPiece, tokens.size() - done));
    }
    check_interrupt();
}

ff_generate_result generate(firefinch::Session &session, std::uint64_t count) {
    check_interrupt();
    ff_generate_options options = firefinch::generate_options();
    options.count = count;
    options.sampling.temperature = 0;
    const ff_generate_result result = session.generate(options, [](std::uint32_t) { return !interrupted(); });
    check_interrupt();
    return result;
}

// The launches from `before` to `after`, which are the same in every repeat.
void count_tuned(const ff_model_statistics &before, const ff_model_statistics &after, double tokens, BenchResult &result) {
    result.tuned_per_token = static_cast<double>(after.tuned_replayed - before.tuned_replayed) / tokens;
    result.tunable_per_token = static_cast<double>(after.tunable_replayed - before.tunable_replayed) / tokens;
}

// `once` measures a repeat; it is called once more before, for nothing.
template <class Once>
void repeat(const BenchPlan &plan, const std::string &test, Terminal &terminal, const Once &once) {
    for (std::uint64_t done = 0; done <= plan.repeats; ++done) {
        terminal.progress(test, done, plan.repeats + 1);
        if (done > 0) rest(plan.cool_down);
        once(/*counts=*/done > 0);
    }
    terminal.progress(test, plan.repeats + 1, plan.repeats + 1);
    terminal.end_progress();
}

} // namespace

BenchResult bench_prefill(const firefinch::Model &model, firefinch::Session &session, const BenchPlan &plan,
                          Terminal &terminal) {
    const std::vector<std::uint32_t> tokens = random_tokens(plan.prefill, model.info().vocabulary);
    const auto count = static_cast<double>(tokens.size());
    BenchResult result{"prefill", 1, plan.prefill, {}, {}, {}, {}};
    repeat(plan, fmt::format("pp{}", plan.prefill), terminal, [&](bool counts) {
        session.reset();
        const ff_model_statistics before = model.statistics();
        const double host = thread_seconds();
        const auto start = Clock::now();
        read_in_pieces(session, tokens);
        const double seconds = Seconds(Clock::now() - start).count();
        if (!counts) return;
        const double host_seconds = thread_seconds() - host;
        const ff_model_statistics after = model.statistics();
        result.tokens_per_second.push_back(count / seconds);
        result.host_microseconds_per_token.push_back(host_seconds * 1e6 / count);
        result.submissions_per_token.push_back(static_cast<double>(after.submissions - before.submissions) / count);
        result.launches_per_token.push_back(static_cast<double>(after.launches - before.launches) / count);
        count_tuned(before, after, count, result);
    });
    return result;
}

BenchResult bench_decode(const firefinch::Model &model, firefinch::Session &session, const BenchPlan &plan,
                         Terminal &terminal) {
    BenchResult result{"decode", 1, plan.decode, {}, {}, {}, {}};
    const ff_model_statistics step = model.statistics();
    result.tuned_per_token = step.tuned_launches;
    result.tunable_per_token = step.tunable_launches;
    repeat(plan, fmt::format("tg{}", plan.decode), terminal, [&](bool counts) {
        session.reset();
        session.prefill(&kFirstToken, 1);
        const ff_generate_result made = generate(session, counts ? plan.decode : std::min(plan.decode, kWarmUp));
        if (!counts) return;
        const auto produced = static_cast<double>(made.produced);
        result.tokens_per_second.push_back(produced / made.seconds);
        result.host_microseconds_per_token.push_back(made.host_seconds * 1e6 / produced);
        result.submissions_per_token.push_back(static_cast<double>(made.submissions) / produced);
        result.launches_per_token.push_back(step.launches_per_token);
    });
    return result;
}

BenchResult bench_batch(const firefinch::Model &model, std::uint32_t count, const BenchPlan &plan, Terminal &terminal) {
    BenchResult result{"decode", count, plan.decode, {}, {}, {}, {}};
    std::vector<firefinch::Session> sessions;
    for (std::uint32_t i = 0; i < count; ++i) sessions.emplace_back(model);
    firefinch::Batch batch(model, count);
    const std::vector<std::uint32_t> first = random_tokens(count, model.info().vocabulary); // a text each
    repeat(plan, fmt::format("tg{} x{}", plan.decode, count), terminal, [&](bool counts) {
        ff_generate_options options = firefinch::generate_options();
        options.count = counts ? plan.decode : std::min(plan.decode, kWarmUp);
        options.sampling.temperature = 0;
        for (std::uint32_t i = 0; i < count; ++i) {
            sessions[i].reset();
            sessions[i].prefill(&first[i], 1);
            batch.add(sessions[i], {}, options, [](std::uint32_t) { return !interrupted(); });
        }
        const ff_model_statistics before = model.statistics();
        const ff_batch_progress made = batch.run();
        check_interrupt();
        if (!counts) return;
        const auto produced = static_cast<double>(made.produced);
        result.tokens_per_second.push_back(produced / made.seconds);
        result.host_microseconds_per_token.push_back(made.host_seconds * 1e6 / produced);
        result.submissions_per_token.push_back(static_cast<double>(made.submissions) / produced);
        result.launches_per_token.push_back(static_cast<double>(made.launches) / produced);
        count_tuned(before, model.statistics(), produced, result);
    });
    return result;
}

Clock::time_point first_token(firefinch::Session &session) {
    session.prefill(&kFirstToken, 1);
    check_interrupt();
    ff_generate_options options = firefinch::generate_options();
    options.count = 1;
    options.sampling.temperature = 0;
    Clock::time_point delivered; // before the step that reads this token into the state
    session.generate(options, [&](std::uint32_t) {
        delivered = Clock::now();
        return true;
    });
    check_interrupt();
    return delivered;
}

KernelTimes bench_kernels(firefinch::Session &session, const BenchPlan &plan, Terminal &terminal) {
    check_interrupt();
    terminal.note("kernels: steps with a timestamp after every launch");
    KernelTimes times;
    try {
        const std::uint64_t steps = plan.decode == 0 ? kProfiledSteps : std::min(plan.decode, kProfiledSteps);
        times.report.emplace(session.profile(static_cast<std::uint32_t>(steps)));
    } catch (const firefinch::Error &error) {
        if (error.status() != FF_ERROR_UNSUPPORTED) throw;
        times.refusal = error.what();
        return times;
    }
    for (std::size_t i = 0; i < times.report->size(); ++i) times.kernels.push_back((*times.report)[i]);
    check_interrupt();
    return times;
}

} // namespace program
