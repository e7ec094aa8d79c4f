#include "loader/tokenizer/byte_trie.h"

#include <algorithm>

namespace ff::loader {

ByteTrie::ByteTrie(std::vector<std::pair<std::string, std::uint32_t>> entries) {
    std::sort(entries.begin(), entries.end());
    // Breadth first, so that siblings become neighbours: node i stands for the entries [begin, end), which share their
    // first `depth` bytes.
    struct Range {
        std::size_t begin, end, depth;
    };
    std::vector<Range> ranges{{0, entries.size(), 0}};
    nodes_.push_back({});
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        auto [begin, end, depth] = ranges[i];
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
            ranges.push_back({begin, next, depth + 1});
            ++nodes_[i].children;
            begin = next;
        }
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
