#include "loader/tokenizer/bpe.h"

#include <queue>

namespace ff::loader {

namespace {

constexpr std::size_t kNone = SIZE_MAX;

struct Symbol {
    std::uint32_t id = 0;
    std::size_t previous = kNone, next = kNone; // among the symbols that are left
};

// A pair that could be merged when it was found; it may have changed since.
struct Candidate {
    std::uint32_t rank, left_id, right_id, merged_id;
    std::size_t left;
    bool operator>(const Candidate &other) const {
        return rank != other.rank ? rank > other.rank : left > other.left; // equal ranks: leftmost first
    }
};

} // namespace

void Bpe::encode(std::string_view word, std::vector<std::uint32_t> &ids) const {
    std::vector<Symbol> symbols(word.size());
    for (std::size_t i = 0; i < word.size(); ++i)
        symbols[i] = {byte_ids[static_cast<unsigned char>(word[i])], i == 0 ? kNone : i - 1,
                      i + 1 == word.size() ? kNone : i + 1};

    std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
    const auto consider = [&](std::size_t left) {
        if (left == kNone || symbols[left].next == kNone) return;
        const std::uint32_t left_id = symbols[left].id, right_id = symbols[symbols[left].next].id;
        const auto found = merges.find(pair(left_id, right_id));
        if (found != merges.end()) candidates.push({found->second.rank, left_id, right_id, found->second.id, left});
    };
    for (std::size_t i = 0; i < symbols.size(); ++i) consider(i);

    // A symbol that was merged away has no id, and no candidate asks for one.
    while (!candidates.empty()) {
        const Candidate best = candidates.top();
        candidates.pop();
        Symbol &left = symbols[best.left];
        if (left.id != best.left_id || left.next == kNone || symbols[left.next].id != best.right_id) continue;
        Symbol &right = symbols[left.next];
        right.id = kNoId;
        left.id = best.merged_id;
        left.next = right.next;
        if (left.next != kNone) symbols[left.next].previous = best.left;
        consider(left.previous);
        consider(best.left);
    }
    for (const Symbol &symbol : symbols)
        if (symbol.id != kNoId) ids.push_back(symbol.id);
}

} // namespace ff::loader
