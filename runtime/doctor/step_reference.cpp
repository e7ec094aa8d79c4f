// The beginning and the end of a step: what is read, its embedding, and the token that is sampled.
#include "runtime/doctor/launch_reference.h"
#include "shaders/lib/interface.h"

#include <bit>
#include <cmath>

namespace ff::doctor {
namespace {

using reference::Floats;
using reference::Vector;
using shader::ControlEntry;
using shader::ControlHeader;

std::size_t entry_byte(std::uint32_t entry) {
    return sizeof(ControlHeader) + entry * sizeof(ControlEntry);
}

bool goes_on(const ControlEntry &entry) {
    return entry.generating != 0 && entry.halt == shader::kHaltNone && entry.produced < entry.limit;
}

std::uint32_t prompt_token(const ControlEntry &entry, std::uint32_t ahead) {
    return entry.prompt[(entry.prompt_read + ahead) % shader::kPromptLength];
}

Vector words(std::initializer_list<std::uint32_t> values) {
    return {values.begin(), values.end()};
}

// The header of a decode step, and its token if there is one.
std::optional<std::uint32_t> expect_header(const Bound &scratch, const Bound &control, Expectations &expected) {
    const std::uint32_t step = control.word(offsetof(ControlHeader, step) / 4);
    const std::uint32_t index = control.word(offsetof(ControlHeader, queue) / 4 + step % shader::kQueueLength);
    const auto entry = control.block<ControlEntry>(entry_byte(index));
    const std::uint32_t left = entry.prompt_end - entry.prompt_read;
    const bool stopped = entry.stop_request != 0, prompt = left != 0, last = left <= 1;
    const bool run = (prompt || entry.pending != 0) && !stopped;
    const std::uint32_t token = prompt ? prompt_token(entry, 0) : entry.next_token;
    expected.push_back({"step header", scratch.view(0, 8),
                        words({run, token, entry.parity, entry.slot, run && (last || entry.logits_every != 0),
                               goes_on(entry) && last && !stopped, index, prompt}),
                        true});
    return run ? std::optional(token) : std::nullopt;
}

// The tokens of a wide step's rows.
std::vector<std::uint32_t> expect_tokens(const Bound &scratch, const Bound &control, Expectations &expected) {
    std::vector<std::uint32_t> tokens;
    for (std::uint32_t t = 0; t < scratch.word(shader::kWideRows); ++t) {
        const std::uint32_t run =
            shader::kWideRunsAt + scratch.word(shader::kWideRowsAt + 2ULL * t + 1) * shader::kRunWords;
        const auto entry = control.block<ControlEntry>(entry_byte(scratch.word(run + shader::kRunEntry)));
        const bool prompt = scratch.word(run + shader::kRunPrompt) != 0;
        tokens.push_back(prompt ? prompt_token(entry, t - scratch.word(run + shader::kRunFirst)) : entry.next_token);
    }
    if (!tokens.empty())
        expected.push_back({"tokens", scratch.view(shader::kWideRowsAt, 2 * tokens.size()),
                            Vector(tokens.begin(), tokens.end()), true, 2});
    return tokens;
}

reference::Sampling sampling_of(const ControlEntry &entry) {
    reference::Sampling sampling{.temperature = entry.temperature,
                                 .top_p = entry.top_p,
                                 .presence = entry.presence,
                                 .frequency = entry.frequency,
                                 .penalty_decay = entry.penalty_decay,
                                 .top_k = entry.top_k,
                                 .min_p = entry.min_p,
                                 .typical_p = entry.typical_p};
    for (std::uint32_t i = 0; i < std::min(entry.bias_count, shader::kMaxLogitBias); ++i)
        sampling.logit_bias.emplace_back(entry.bias_tokens[i], std::bit_cast<float>(entry.bias_values[i]));
    return sampling;
}

// The token that is drawn; nothing where sums in float32 may fall on its neighbour.
std::optional<std::size_t> drawn(const Numbers &logits, const Vector &counts, const ControlEntry &entry) {
    constexpr double kSlack = 1e-4;
    const reference::Sampling sampling = sampling_of(entry);
    if (entry.temperature <= 0 || entry.top_k == 1) return reference::greedy(logits, counts, sampling);
    const Vector probability = reference::probabilities(logits, counts, sampling);
    const double u = reference::philox({entry.produced, 0, 0, 0}, {entry.seed_low, entry.seed_high})[0] * 0x1p-32;
    double below = 0;
    for (std::size_t i = 0; i < probability.size(); below += probability[i++])
        if (u > below + kSlack && u < below + probability[i] - kSlack) return i;
    return std::nullopt;
}

// What the end of a step leaves in the control entry and the history of one session.
struct Served {
    std::uint32_t entry;
    bool ran, sampled;
    std::uint32_t prompt_rows; // 0: it read the pending token
};
void expect_end(const Served &served, const shader::SampleParams &p, const Bindings &bindings, Expectations &expected) {
    const Bound logits(bindings, shader::kSampleLogits), history(bindings, shader::kSampleHistory),
        control(bindings, shader::kSampleControl);
    const std::size_t at = entry_byte(served.entry);
    const auto entry = control.block<ControlEntry>(at);
    const auto expect = [&](const char *name, std::size_t offset, std::uint32_t value) {
        expected.push_back({name, control.view((at + offset) / 4, 1), words({value}), true});
    };
    const bool reads_pending = served.ran && served.prompt_rows == 0;
    if (served.ran) {
        expect("parity", offsetof(ControlEntry, parity), entry.parity ^ 1U);
        expect("tokens of the prompt read", offsetof(ControlEntry, prompt_read), entry.prompt_read + served.prompt_rows);
        if (!served.sampled) expect("pending", offsetof(ControlEntry, pending), reads_pending ? 0 : entry.pending);
    }
    if (!served.sampled) return;
    const std::size_t row = std::size_t{entry.slot} * p.history_stride;
    Vector counts(p.vocabulary, 0.0);
    if (entry.produced != 0) {
        counts = reference::widen(history.floats(row, p.vocabulary));
        reference::count_token(counts, entry.next_token, double{entry.penalty_decay});
    }
    expected.push_back({"history", history.view(row, p.vocabulary), counts});
    const std::optional<std::size_t> token = drawn(logits.floats(row, p.vocabulary), counts, entry);
    if (!token) return;
    const auto id = static_cast<std::uint32_t>(*token);
    if (std::find(entry.stop_tokens, entry.stop_tokens + std::min(entry.stop_count, shader::kMaxStopTokens), id) !=
        entry.stop_tokens + std::min(entry.stop_count, shader::kMaxStopTokens)) {
        expect("halt", offsetof(ControlEntry, halt), shader::kHaltStopToken);
        return;
    }
    expect("the token", offsetof(ControlEntry, next_token), id);
    expect("the token in the ring",
           offsetof(ControlEntry, tokens) + std::size_t{4} * (entry.produced % shader::kProducedLength), id);
    expect("pending", offsetof(ControlEntry, pending), 1);
    expect("tokens produced", offsetof(ControlEntry, produced), entry.produced + 1);
}

} // namespace

Expectations expect_embed(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::EmbedParams>();
    const Bound weights(bindings, shader::kEmbedWeights), parameters(bindings, shader::kEmbedParams),
        scratch(bindings, shader::kEmbedScratch), control(bindings, shader::kEmbedControl);
    Expectations expected;
    std::vector<std::uint32_t> tokens;
    if (launch.variant->kernel == "wide_embed") {
        tokens = expect_tokens(scratch, control, expected);
    } else if (const auto token = expect_header(scratch, control, expected)) {
        tokens = {*token};
    }
    const kernels::WeightType type = weight_type(launch);
    const std::size_t row = 8ULL * p.groups;
    const Numbers norm = parameters.at(p.norm_at, row + p.width);
    for (std::size_t t = 0; t < tokens.size(); ++t) {
        const std::uint32_t at = tokens[t] - p.first_row; // wraps where the row is in an earlier part
        if (at >= p.rows) continue;
        const Numbers values = weights.matrix(type, at * kernels::row_bytes(type, p.width) / 16, 1, p.width);
        expected.push_back({"x", scratch.view(4ULL * p.x_at + t * row, p.width),
                            reference::embed(values, Floats(norm).first(p.width), Floats(norm).subspan(row))});
    }
    return expected;
}

Expectations expect_wide_begin(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::WideBeginParams>();
    const Bound header(bindings, shader::kWideBeginScratch), control(bindings, shader::kWideBeginControl);
    const auto host = control.block<ControlHeader>(0);
    const shader::WideTask &task = host.tasks[host.wide_step % shader::kWideQueueLength];
    const std::uint32_t runs = std::min(task.runs, shader::kMostRuns);
    Expectations expected;
    Vector run_of_row, answers;
    for (std::uint32_t run = 0; run < runs; ++run) {
        const auto entry = control.block<ControlEntry>(entry_byte(task.entries[run]));
        const std::uint32_t prompt_rows = task.rows[run] & ~shader::kTaskMore;
        const bool stopped = entry.stop_request != 0, last = (task.rows[run] & shader::kTaskMore) == 0 && !stopped;
        std::uint32_t rows = 0;
        if (!stopped) rows = prompt_rows != 0 ? prompt_rows : std::uint32_t{entry.pending != 0};
        const auto first = static_cast<std::uint32_t>(run_of_row.size());
        expected.push_back({"a run", header.view(shader::kWideRunsAt + run * shader::kRunWords, 7),
                            words({task.entries[run], entry.slot, entry.parity, first, rows, prompt_rows != 0,
                                   goes_on(entry) && last}),
                            true});
        run_of_row.insert(run_of_row.end(), rows, run);
        if (rows != 0 && last) answers.insert(answers.end(), {double(run_of_row.size() - 1), double(entry.slot)});
    }
    const auto rows = static_cast<std::uint32_t>(std::min<std::size_t>(run_of_row.size(), p.most_rows));
    run_of_row.resize(rows);
    expected.push_back({"rows, runs and answers", header.view(0, 3),
                        words({rows, runs, static_cast<std::uint32_t>(answers.size() / 2)}), true});
    if (rows != 0)
        expected.push_back({"runs of rows", header.view(shader::kWideRowsAt + 1, 2ULL * rows - 1), run_of_row, true, 2});
    if (!answers.empty())
        expected.push_back({"answers", header.view(shader::kWideAnswersAt, answers.size()), answers, true});
    return expected;
}

Expectations expect_sample(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::SampleParams>();
    const Bound scratch(bindings, shader::kSampleScratch), control(bindings, shader::kSampleControl);
    const bool wide = launch.variant->kernel == "wide_sample";
    Expectations expected;
    if (!wide) {
        expect_end({scratch.word(shader::kStepEntry), scratch.word(shader::kStepRun) != 0,
                    scratch.word(shader::kStepSample) != 0, scratch.word(shader::kStepPrompt)},
                   p, bindings, expected);
    }
    for (std::uint32_t i = 0; wide && i < scratch.word(shader::kWideRuns); ++i) {
        const std::size_t run = shader::kWideRunsAt + i * shader::kRunWords;
        const std::uint32_t rows = scratch.word(run + shader::kRunRows);
        expect_end({scratch.word(run + shader::kRunEntry), rows != 0, scratch.word(run + shader::kRunSample) != 0,
                    scratch.word(run + shader::kRunPrompt) != 0 ? rows : 0},
                   p, bindings, expected);
    }
    const std::size_t steps = (wide ? offsetof(ControlHeader, wide_step) : offsetof(ControlHeader, step)) / 4;
    expected.push_back({"steps", control.view(steps, 1), words({control.word(steps) + 1}), true});
    return expected;
}

} // namespace ff::doctor
