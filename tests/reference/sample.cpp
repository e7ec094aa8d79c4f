#include "tests/reference/reference.h"

#include <algorithm>
#include <cmath>

namespace ff::reference {
namespace {

// Presence and frequency penalties on what was produced before.
Vector penalised(Floats logits, const Vector &counts, const Sampling &sampling) {
    Vector adjusted = widen(logits);
    for (std::size_t i = 0; i < adjusted.size(); ++i)
        if (counts[i] != 0) adjusted[i] -= sampling.presence + counts[i] * sampling.frequency;
    return adjusted;
}

double sum(const Vector &values) {
    double total = 0;
    for (const double value : values) total += value;
    return total;
}

// Keeps what is at least as probable as the last of `kept` tokens.
void cut(Vector &probability, const std::vector<std::size_t> &order, std::size_t kept) {
    const double least = probability[order[kept - 1]];
    for (double &value : probability)
        if (value < least) value = 0;
}

} // namespace

void count_token(Vector &counts, std::size_t token, double penalty_decay) {
    for (double &count : counts) count *= penalty_decay;
    counts[token] += 1;
}

std::size_t greedy(Floats logits, const Vector &counts, const Sampling &sampling) {
    const Vector adjusted = penalised(logits, counts, sampling);
    return static_cast<std::size_t>(std::max_element(adjusted.begin(), adjusted.end()) - adjusted.begin());
}

Vector probabilities(Floats logits, const Vector &counts, const Sampling &sampling) {
    Vector probability = penalised(logits, counts, sampling);
    std::vector<std::size_t> order(probability.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return probability[a] > probability[b]; });
    const double top = probability[order[0]];
    for (double &value : probability) value = std::exp((value - top) / sampling.temperature);

    if (sampling.top_k != 0 && sampling.top_k < order.size()) cut(probability, order, sampling.top_k);
    if (sampling.top_p < 1) {
        // The smallest number of tokens whose share of what top-k left reaches top_p.
        const double want = sampling.top_p * sum(probability);
        std::size_t kept = 0;
        for (double mass = 0; kept < order.size() && (kept == 0 || mass < want); ++kept)
            mass += probability[order[kept]];
        cut(probability, order, kept);
    }
    const double total = sum(probability);
    for (double &value : probability) value /= total;
    return probability;
}

} // namespace ff::reference
