// A set of byte strings with a number each, which finds the longest one that a text begins with.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace ff::loader {

class ByteTrie {
  public:
    struct Match {
        std::uint32_t value = 0;
        std::size_t length = 0;
    };

    // Strings must not be empty; of equal ones that with the lowest number counts. Nothing is kept of them.
    using Entries = std::vector<std::pair<std::string_view, std::uint32_t>>;
    explicit ByteTrie(Entries entries);

    std::optional<Match> longest_prefix(std::string_view text) const;

  private:
    // A node's children stand side by side, in the order of their bytes.
    struct Node {
        std::uint32_t first_child = 0;
        std::uint16_t children = 0;
        unsigned char byte = 0; // on the edge from the parent
        bool has_value = false;
        std::uint32_t value = 0;
    };

    const Node *child(const Node &node, unsigned char byte) const;

    std::vector<Node> nodes_;
    std::array<std::uint32_t, 256> roots_{}; // nodes of the first bytes, 0 where there is none: nodes_[0] is the root
};

} // namespace ff::loader
