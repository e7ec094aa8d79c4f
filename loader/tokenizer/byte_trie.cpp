#include "loader/tokenizer/byte_trie.h"

#include <algorithm>

namespace ff::loader {

namespace {

// The root, and one for each byte that an entry does not share with the one before it.
std::size_t count_nodes(const ByteTrie::Entries &sorted) {
    std::size_t count = 1;
    std::string_view before;
    for (const auto &[text, value] : sorted) {
        const auto [end, other] = std::mismatch(text.begin(), text.end(), before.begin(), before.end());
        count += static_cast<std::size_t>(text.end() - end);
        before = text;
    }
    return count;
}

} // namespace

ByteTrie::ByteTrie(Entries entries) {
    std::sort(entries.begin(), entries.end());
    const auto same_text = [](const auto &a, const auto &b) { return a.first == b.first; };
    entries.erase(std::unique(entries.begin(), entries.end(), same_text), entries.end());
    nodes_.reserve(count_nodes(entries)); // a hostile vocabulary has a million
    // Level by level, so that siblings become neighbours: a node stands for the entries [begin, end), which share their
    // first `depth` bytes.
    struct Range {
        std::size_t begin, end;
    };
    std::vector<Range> level{{0, entries.size()}}, next_level;
    nodes_.push_back({});
    for (std::size_t depth = 0, i = 0; !level.empty(); ++depth) {
        next_level.clear();
        for (auto [begin, end] : level) {
            if (begin < end && entries[begin].first.size() == depth) { // sorted: the one that ends here comes first
                nodes_[i].has_value = true;
                nodes_[i].value = entries[begin].second;
                ++begin;
            }
            nodes_[i].first_child = static_cast<std::uint32_t>(nodes_.size());
            while (begin < end) {
                const char byte = entries[begin].first[depth];
                std::size_t next = begin;
                while (next < end && entries[next].first[depth] == byte) ++next;
                nodes_.push_back({.byte = static_cast<unsigned char>(byte)});
                next_level.push_back({begin, next});
                ++nodes_[i].children;
                begin = next;
            }
            ++i;
        }
        level.swap(next_level);
    }
    const Node &root = nodes_[0];
    for (std::uint32_t i = 0; i < root.children; ++i) roots_[nodes_[root.first_child + i].byte] = root.first_child + i;
}

const ByteTrie::Node *ByteTrie::child(const Node &node, unsigned char byte) const {
    const Node *const begin = nodes_.data() + node.first_child, *const end = begin + node.children;
    const Node *const found =
        std::lower_bound(begin, end, byte, [](const Node &n, unsigned char b) { return n.byte < b; });
    return found != end && found->byte == byte ? found : nullptr;
}

std::optional<ByteTrie::Match> ByteTrie::longest_prefix(std::string_view text) const {
    if (text.empty()) return std::nullopt;
    std::optional<Match> best;
    const std::uint32_t first = roots_[static_cast<unsigned char>(text[0])];
    const Node *node = first == 0 ? nullptr : &nodes_[first];
    for (std::size_t length = 1; node != nullptr; ++length) {
        if (node->has_value) best = Match{node->value, length};
        if (length == text.size()) break;
        node = child(*node, static_cast<unsigned char>(text[length]));
    }
    return best;
}

} // namespace ff::loader
