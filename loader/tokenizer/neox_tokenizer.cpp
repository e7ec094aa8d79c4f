// The 20B tokenizer's order of work: cut out the raw added tokens; NFC; cut out the normalized ones (leftmost, then
// longest); split what is left into words; merge each word's bytes.
#include "loader/file_map.h"
#include "loader/guard.h"
#include "loader/text.h"
#include "loader/tokenizer/byte_trie.h"
#include "loader/tokenizer/packed_vocabulary.h"
#include "loader/tokenizer/tokenizer.h"
#include "loader/tokenizer/unicode.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::loader {

namespace {

// Rows of RWKV-7 Pile models: the vocabulary's 50277, padded.
constexpr std::uint32_t kPaddedRows = 50304;

// Calls plain(piece) and found(id) along the text, cut at the entries of `table`.
template <class Plain, class Found>
Result<void> cut(std::string_view text, const ByteTrie &table, Plain &&plain, Found &&found) {
    std::size_t begin = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto match = table.longest_prefix(text.substr(at));
        if (!match) {
            ++at;
            continue;
        }
        if (begin < at) FF_TRY(plain(text.substr(begin, at - begin)));
        found(match->value);
        at += match->length;
        begin = at;
    }
    if (begin < text.size()) FF_TRY(plain(text.substr(begin)));
    return {};
}

class NeoxTokenizer final : public Tokenizer {
  public:
    NeoxTokenizer(NeoxVocabulary vocabulary, WordPattern words)
        : bpe_(std::move(vocabulary.bpe)), texts_(std::move(vocabulary.texts)),
          raw_({vocabulary.raw_tokens.begin(), vocabulary.raw_tokens.end()}),
          normalized_({vocabulary.normalized_tokens.begin(), vocabulary.normalized_tokens.end()}),
          end_of_text_(id_of("<|endoftext|>", vocabulary.raw_tokens)), words_(std::move(words)) {}

    std::string_view name() const override { return "20b"; }
    std::uint32_t vocabulary() const override { return static_cast<std::uint32_t>(texts_.size()); }
    std::optional<std::uint32_t> special(TokenRole role) const override {
        return role == TokenRole::end_of_text ? end_of_text_ : std::nullopt;
    }

    Result<std::vector<std::uint32_t>> encode(std::string_view text) const override {
        return guarded("20B tokenizer", "encoding text", [&]() -> Result<std::vector<std::uint32_t>> {
            std::vector<std::uint32_t> ids;
            for (const char c : text)
                if (bpe_.byte_ids[static_cast<unsigned char>(c)] == Bpe::kNoId)
                    return Error{Status::argument,
                                 fmt::format("20B tokenizer: the vocabulary has no token for the byte "
                                             "0x{:02x}; the text must be UTF-8",
                                             static_cast<unsigned char>(c))};
            FF_TRY(cut(
                text, raw_, [&](std::string_view piece) { return encode_piece(piece, ids); },
                [&](std::uint32_t id) { ids.push_back(id); }));
            return ids;
        });
    }

    Result<std::string> decode(std::uint32_t id) const override {
        if (id < texts_.size()) return texts_[id];
        if (id < kPaddedRows) return std::string();
        return Error{Status::argument,
                     fmt::format("token {} is out of range, the 20B tokenizer has 0 to {}", id, texts_.size() - 1)};
    }

  private:
    static std::optional<std::uint32_t> id_of(std::string_view text, const NeoxVocabulary::AddedTokens &tokens) {
        for (const auto &[content, id] : tokens)
            if (content == text) return id;
        return std::nullopt;
    }

    // Unicode's rules apply to runs of UTF-8; the bytes between them, which are no characters, are merged as they are.
    Result<void> encode_piece(std::string_view text, std::vector<std::uint32_t> &ids) const {
        while (!text.empty()) {
            std::size_t valid = 0;
            while (const std::size_t length = utf8_length(text.substr(valid))) valid += length;
            if (valid != 0) FF_TRY(encode_characters(text.substr(0, valid), ids));
            text.remove_prefix(valid);
            std::size_t broken = 0;
            while (broken < text.size() && utf8_length(text.substr(broken)) == 0) ++broken;
            if (broken != 0) bpe_.encode(text.substr(0, broken), ids);
            text.remove_prefix(broken);
        }
        return {};
    }

    Result<void> encode_characters(std::string_view text, std::vector<std::uint32_t> &ids) const {
        FF_TRY_ASSIGN(const std::string normal, to_nfc(text));
        const auto words = [&](std::string_view piece) {
            return words_.split(piece, [&](std::string_view word) { bpe_.encode(word, ids); });
        };
        return cut(normal, normalized_, words, [&](std::uint32_t id) { ids.push_back(id); });
    }

    Bpe bpe_;
    std::vector<std::string> texts_;
    ByteTrie raw_, normalized_;
    std::optional<std::uint32_t> end_of_text_;
    WordPattern words_;
};

Result<std::unique_ptr<Tokenizer>> tokenizer_of(NeoxVocabulary vocabulary) {
    FF_TRY_ASSIGN(WordPattern words, WordPattern::create());
    return std::make_unique<NeoxTokenizer>(std::move(vocabulary), std::move(words));
}

} // namespace

Result<std::unique_ptr<Tokenizer>> make_20b_tokenizer() {
    const std::string name = "the library's 20B vocabulary";
    return guarded(name, "reading it", [&]() -> Result<std::unique_ptr<Tokenizer>> {
        FF_TRY_ASSIGN(NeoxVocabulary vocabulary, unpack_20b(name, packed_20b()));
        return tokenizer_of(std::move(vocabulary));
    });
}

Result<std::unique_ptr<Tokenizer>> make_20b_tokenizer(const std::string &name, std::string_view tokenizer_json) {
    return guarded(name, "reading the vocabulary", [&]() -> Result<std::unique_ptr<Tokenizer>> {
        FF_TRY_ASSIGN(NeoxVocabulary vocabulary, parse_neox_vocabulary(name, tokenizer_json));
        return tokenizer_of(std::move(vocabulary));
    });
}

Result<std::unique_ptr<Tokenizer>> make_20b_tokenizer(const std::string &tokenizer_json_path) {
    FF_TRY_ASSIGN(const FileMap map, FileMap::open(tokenizer_json_path));
    return make_20b_tokenizer(tokenizer_json_path, map.text());
}

Result<std::unique_ptr<Tokenizer>> make_tokenizer_from(const std::string &path) {
    FF_TRY_ASSIGN(const FileMap map, FileMap::open(path));
    const std::size_t first = map.text().find_first_not_of(" \t\r\n");
    const bool json = first != std::string_view::npos && map.text()[first] == '{';
    return json ? make_20b_tokenizer(path, map.text()) : make_world_tokenizer(path, map.text());
}

} // namespace ff::loader
