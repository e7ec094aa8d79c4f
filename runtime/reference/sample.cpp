#include "runtime/reference/reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace ff::reference {
namespace {

// Bias, and presence and frequency penalties on what was produced before.
Vector penalised(Floats logits, const Vector &counts, const Sampling &sampling) {
    Vector adjusted = widen(logits);
    for (std::size_t i = 0; i < adjusted.size(); ++i)
        if (counts[i] != 0) adjusted[i] -= sampling.presence + counts[i] * sampling.frequency;
    for (const auto &[token, bias] : sampling.logit_bias) adjusted[token] += bias;
    return adjusted;
}

double sum(const Vector &values) {
    double total = 0;
    for (const double value : values) total += value;
    return total;
}

using Order = std::vector<std::size_t>;

// Ids by rank, the highest first.
Order order_of(const Vector &rank) {
    Order order(rank.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return rank[a] > rank[b]; });
    return order;
}

// Keeps what ranks at least as high as the `kept` first.
void cut(Vector &probability, const Vector &rank, const Order &order, std::size_t kept) {
    const double least = rank[order[kept - 1]];
    for (std::size_t i = 0; i < rank.size(); ++i)
        if (rank[i] < least) probability[i] = 0;
}

// Keeps the smallest number of tokens, in the order of their rank, whose share of the probability reaches `share`.
void cut_to_share(Vector &probability, const Vector &rank, double share) {
    const Order order = order_of(rank);
    const double want = share * sum(probability);
    std::size_t kept = 0;
    for (double mass = 0; kept < order.size() && (kept == 0 || mass < want); ++kept) mass += probability[order[kept]];
    cut(probability, rank, order, kept);
}

// How close a token's information is to the entropy (arXiv 2202.00666): -| -log p - H |.
Vector typicality(const Vector &probability) {
    const double total = sum(probability);
    double entropy = 0;
    for (const double value : probability)
        if (value > 0) entropy -= value / total * std::log(value / total);
    Vector rank(probability.size(), -std::numeric_limits<double>::infinity());
    for (std::size_t i = 0; i < rank.size(); ++i)
        if (probability[i] > 0) rank[i] = -std::abs(-std::log(probability[i] / total) - entropy);
    return rank;
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
    const double top = *std::max_element(probability.begin(), probability.end());
    for (double &value : probability) value = std::exp((value - top) / sampling.temperature);

    if (sampling.top_k != 0 && sampling.top_k < probability.size())
        cut(probability, probability, order_of(probability), sampling.top_k);
    if (sampling.typical_p < 1) cut_to_share(probability, typicality(probability), sampling.typical_p);
    if (sampling.top_p < 1) cut_to_share(probability, probability, sampling.top_p);
    const double least = sampling.min_p * *std::max_element(probability.begin(), probability.end());
    for (double &value : probability)
        if (value < least) value = 0;
    const double total = sum(probability);
    for (double &value : probability) value /= total;
    return probability;
}

} // namespace ff::reference
