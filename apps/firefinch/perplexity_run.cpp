#include "perplexity_run.h"

#include "failure.h"
#include "perplexity_score.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

namespace program {
namespace {

struct Row {
    double nats = 0, other_nats = 0, kl = 0;
    bool agrees = false;
};

// The reader of one model: logits [chunk, V].
struct Reader {
    Reader(const firefinch::Model &model, std::size_t chunk)
        : session(model), vocabulary(model.info().vocabulary), logits(chunk * vocabulary) {
        session.set_chunk(static_cast<std::uint32_t>(chunk));
    }
    std::span<const float> row(std::size_t index) const {
        return std::span(logits).subspan(index * vocabulary, vocabulary);
    }

    firefinch::Session session;
    std::size_t vocabulary;
    std::vector<float> logits;
};

Row score(const Reader &reader, const Reader *other, std::size_t index, std::uint32_t token) {
    const TokenScore own = score_token(reader.row(index), token);
    if (other == nullptr) return {.nats = own.nats};
    const TokenScore theirs = score_token(other->row(index), token);
    return {.nats = own.nats,
            .other_nats = theirs.nats,
            .kl = kl_divergence(other->row(index), theirs.log_sum_exp, reader.row(index), own.log_sum_exp),
            .agrees = own.best == theirs.best};
}

// Rows are dealt out to threads, and each goes to its own place: the sums do not depend on how many there are.
void score_rows(const Reader &reader, const Reader *other, const std::uint32_t *tokens, std::vector<Row> &rows) {
    constexpr std::size_t kWorthAThread = 1 << 18; // logits: about a millisecond
    const std::size_t wanted = 1 + rows.size() * reader.vocabulary / kWorthAThread;
    const std::size_t threads =
        std::min<std::size_t>({wanted, rows.size(), std::max(1U, std::thread::hardware_concurrency())});
    const auto every = [&](std::size_t first) {
        for (std::size_t i = first; i < rows.size(); i += threads) rows[i] = score(reader, other, i, tokens[i]);
    };
    std::vector<std::jthread> others;
    for (std::size_t first = 1; first < threads; ++first) others.emplace_back(every, first);
    every(0);
}

} // namespace

PerplexityResult run_perplexity(const firefinch::Model &model, const firefinch::Model *other,
                                const std::vector<std::uint32_t> &ids, std::size_t chunk, Terminal &terminal) {
    const std::size_t total = ids.size() - 1; // after the last one nothing comes that could be scored
    chunk = std::min(chunk, total);
    Reader reader(model, chunk);
    std::optional<Reader> reference;
    if (other != nullptr) reference.emplace(*other, chunk);
    PerplexityResult result;
    const auto begin = std::chrono::steady_clock::now();
    for (std::size_t done = 0; done < total;) {
        const std::size_t count = std::min(chunk, total - done);
        if (interrupted()) throw Interrupted();
        reader.session.evaluate(ids.data() + done, count, reader.logits.data());
        if (interrupted()) throw Interrupted();
        if (reference) reference->session.evaluate(ids.data() + done, count, reference->logits.data());
        std::vector<Row> rows(count);
        score_rows(reader, reference ? &*reference : nullptr, ids.data() + done + 1, rows);
        for (const Row &row : rows) {
            result.nats += row.nats;
            result.other_nats += row.other_nats;
            result.kl_sum += row.kl;
            result.kl_max = std::max(result.kl_max, row.kl);
            result.agreements += row.agrees ? 1U : 0U;
        }
        done += count;
        terminal.progress("perplexity", done, total);
    }
    terminal.end_progress();
    result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return result;
}

} // namespace program
