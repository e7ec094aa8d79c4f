// A character that talks inside a frame budget, and what that costs: frame_budget MODEL [BUDGET_MS [TOKENS]]
// MODEL is a file, or a preset such as 7-0.1b for random weights. docs/embedding.md explains the calls.
#include <firefinch/firefinch.hpp>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kFrame{33}; // what the program draws with, and sleeps through here
constexpr double kKept = 1.5;                   // a slice that takes at most so many budgets has kept it
constexpr std::uint64_t kLearned = 3;           // tokens
constexpr int kTurns = 15;

firefinch::Checkpoint open(const std::string &model) {
    const char *preset = nullptr;
    for (std::size_t i = 0; ff_model_preset(i, &preset) != 0; ++i)
        if (model == preset) return firefinch::Checkpoint::synthetic(model);
    return firefinch::Checkpoint(model);
}

// Frame by frame: the text as it comes, and how many of the slices kept their budget.
void talk(firefinch::Session &session, const firefinch::Tokenizer &tokenizer, ff_generate_options options,
          std::uint64_t budget_us) {
    std::vector<double> took; // the longest slice that a call told of, once some tokens have shown what launches cost
    std::size_t frames = 0, learning = 0;
    session.start(tokenizer.encode("The bird woke up and said: "), &options);
    for (ff_run_state state = FF_RUN_READING; state != FF_RUN_IDLE; ++frames) {
        const auto next_frame = Clock::now() + kFrame;
        const ff_slice_progress progress = session.advance(budget_us); // returns at once
        state = progress.state;
        if (progress.produced < kLearned)
            learning += progress.finished;
        else if (progress.finished != 0)
            took.push_back(progress.longest_us);
        std::fputs(session.poll_text(tokenizer).c_str(), stdout);
        std::fflush(stdout);
        std::this_thread::sleep_until(next_frame); // the frame is drawn
    }
    std::printf("\n%zu frames, %zu slices to learn what launches cost\n", frames, learning);
    if (took.empty()) return;
    std::sort(took.begin(), took.end());
    const auto kept = std::upper_bound(took.begin(), took.end(), kKept * static_cast<double>(budget_us));
    std::printf("of %zu slices %.1f %% took at most %.1f times the budget; median %.2f ms, 95 %% below %.2f ms\n",
                took.size(), 100.0 * static_cast<double>(kept - took.begin()) / static_cast<double>(took.size()), kKept,
                took[took.size() / 2] / 1000, took[took.size() * 95 / 100] / 1000);
}

// Tokens a second, in one call and in slices without a limit, in turn.
void compare(const firefinch::Model &model, const firefinch::Tokenizer &tokenizer, ff_generate_options options) {
    const auto rate = [&](auto &&generate) {
        firefinch::Session session(model);
        session.prefill(tokenizer.encode("The bird"));
        const auto start = Clock::now();
        generate(session);
        return static_cast<double>(options.count) / std::chrono::duration<double>(Clock::now() - start).count();
    };
    std::vector<double> whole, sliced;
    for (int turn = 0; turn < kTurns; ++turn) {
        whole.push_back(
            rate([&](firefinch::Session &session) { session.generate(options, [](std::uint32_t) { return true; }); }));
        sliced.push_back(rate([&](firefinch::Session &session) {
            session.start({}, &options);
            while (session.advance(FF_BUDGET_UNLIMITED).state != FF_RUN_IDLE) session.wait();
        }));
    }
    std::sort(whole.begin(), whole.end());
    std::sort(sliced.begin(), sliced.end());
    std::printf("tokens/s, median and best of %d turns: %.1f and %.1f in one call, %.1f and %.1f in slices\n", kTurns,
                whole[kTurns / 2], whole.back(), sliced[kTurns / 2], sliced.back());
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 2 || argc > 4) {
        std::fprintf(stderr, "usage: %s MODEL [BUDGET_MS [TOKENS]]\n", argv[0]);
        return 2;
    }
    try {
        const firefinch::Checkpoint file = open(argv[1]);
        const double budget_ms = argc > 2 ? std::atof(argv[2]) : 4;
        ff_generate_options options = firefinch::generate_options();
        options.count = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 100;
        ff_engine_options engine_options = firefinch::engine_options();
        engine_options.device = std::getenv("FIREFINCH_DEVICE");
        engine_options.low_priority = 1; // frames first
        const firefinch::Engine engine(engine_options);
        const firefinch::Model model(engine, file);
        const firefinch::Tokenizer tokenizer("auto", &file);
        firefinch::Session session(model);
        talk(session, tokenizer, options, static_cast<std::uint64_t>(budget_ms * 1000));
        compare(model, tokenizer, options);
    } catch (const firefinch::Error &error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
    return 0;
}
