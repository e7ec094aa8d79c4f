#include "loader/tokenizer/longest_match.h"

#include "loader/guard.h"
#include "loader/tokenizer/byte_trie.h"

#include <fmt/format.h>

namespace ff::loader {

namespace {

ByteTrie trie_of(const TextTable &texts) {
    ByteTrie::Entries entries;
    entries.reserve(texts.size());
    for (std::size_t id = 0; id < texts.size(); ++id)
        if (!texts[id].empty()) entries.emplace_back(texts[id], static_cast<std::uint32_t>(id));
    return ByteTrie(std::move(entries));
}

class LongestMatch final : public Tokenizer {
  public:
    LongestMatch(std::string_view name, TextTable texts, SpecialTokens special)
        : name_(name), texts_(std::move(texts)), trie_(trie_of(texts_)), special_(special) {}

    std::string_view name() const override { return name_; }
    std::uint32_t vocabulary() const override { return static_cast<std::uint32_t>(texts_.size()); }
    std::optional<std::uint32_t> special(TokenRole role) const override { return special_.of(role); }

    Result<std::vector<std::uint32_t>> encode(std::string_view text) const override {
        return guarded(name_, "encoding text", [&]() -> Result<std::vector<std::uint32_t>> {
            std::vector<std::uint32_t> ids;
            while (!text.empty()) {
                const auto match = trie_.longest_prefix(text);
                if (!match)
                    return Error{Status::argument,
                                 fmt::format("{} tokenizer: the vocabulary has no token that begins with the byte "
                                             "0x{:02x} and fits the text",
                                             name_, static_cast<unsigned char>(text.front()))};
                ids.push_back(match->value);
                text.remove_prefix(match->length);
            }
            return ids;
        });
    }

    Result<std::string> decode(std::uint32_t id) const override {
        if (id >= texts_.size())
            return Error{Status::argument, fmt::format("token {} is out of range, the {} tokenizer has 0 to {}", id,
                                                       name_, texts_.size() - 1)};
        return std::string(texts_[id]);
    }

  private:
    std::string_view name_;
    TextTable texts_;
    ByteTrie trie_;
    SpecialTokens special_;
};

} // namespace

std::unique_ptr<Tokenizer> make_longest_match(std::string_view name, TextTable texts, SpecialTokens special) {
    return std::make_unique<LongestMatch>(name, std::move(texts), special);
}

} // namespace ff::loader
