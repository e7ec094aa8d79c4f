#include "soak.h"

#include "demo_model.h"
#include "failure.h"
#include "open.h"

#include <chrono>
#include <cstring>
#include <vector>

#include <fmt/format.h>

namespace program {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kPrompt = 150; // a wide step, and a few decode steps behind it
constexpr std::uint64_t kProduced = 64;

struct Round {
    std::vector<std::uint32_t> tokens;
    std::vector<float> logits; // after the prompt, then after what was produced
};

std::vector<std::uint32_t> prompt(std::uint32_t vocabulary) {
    std::vector<std::uint32_t> ids(kPrompt);
    for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = static_cast<std::uint32_t>((i * i * 7 + i * 3 + 11) % vocabulary);
    return ids;
}

Round play(firefinch::Session &session, std::uint32_t vocabulary) {
    Round round;
    round.logits.resize(2 * std::size_t{vocabulary});
    session.reset();
    session.prefill(prompt(vocabulary), round.logits.data());
    ff_generate_options options = firefinch::generate_options();
    options.count = kProduced;
    options.sampling.temperature = kDemoTemperature;
    options.sampling.top_p = kDemoTopP;
    options.sampling.seed = 1;
    session.generate(options, [&](std::uint32_t id) {
        round.tokens.push_back(id);
        return !interrupted();
    });
    if (interrupted()) throw Interrupted();
    session.prefill({kDemoFirstToken}, round.logits.data() + vocabulary);
    return round;
}

std::string difference(const Round &first, const Round &other, std::uint64_t number) {
    for (std::size_t i = 0; i < first.tokens.size(); ++i)
        if (other.tokens[i] != first.tokens[i])
            return fmt::format("round {}, token {}: {}, in the first round {}", number, i, other.tokens[i], first.tokens[i]);
    for (std::size_t i = 0; i < first.logits.size(); ++i)
        if (std::memcmp(&other.logits[i], &first.logits[i], sizeof(float)) != 0)
            return fmt::format("round {}, logit {}: {:a}, in the first round {:a}", number, i, other.logits[i],
                               first.logits[i]);
    return {};
}

} // namespace

SoakResult soak(const firefinch::Engine &engine, double seconds, Terminal &terminal) {
    const firefinch::Checkpoint checkpoint = open_checkpoint("");
    const firefinch::Model model = open_model(engine, checkpoint, WorkOptions().weights, terminal);
    const std::uint32_t vocabulary = checkpoint.info().vocabulary;
    firefinch::Session session(model);
    SoakResult result;
    const auto start = Clock::now();
    const Round first = play(session, vocabulary);
    do {
        ++result.rounds;
        result.trouble = difference(first, play(session, vocabulary), result.rounds + 1);
        result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
        terminal.progress("soak", static_cast<std::uint64_t>(std::min(result.seconds, seconds) * 1000),
                          static_cast<std::uint64_t>(seconds * 1000));
    } while (result.trouble.empty() && result.seconds < seconds);
    ++result.rounds; // the first
    result.tokens = result.rounds * (kPrompt + kProduced + 1);
    terminal.end_progress();
    return result;
}

} // namespace program
