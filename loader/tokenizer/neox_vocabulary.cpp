#include "loader/tokenizer/neox_vocabulary.h"

#include "loader/text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>
#include <optional>
#include <unordered_map>
#include <unordered_set>

namespace ff::loader {

namespace {

using Json = nlohmann::json;

constexpr std::size_t kFileLimit = 16 << 20; // the published file has 2.4 MB
constexpr std::size_t kIdLimit = 1 << 18;    // five times the published one's
constexpr int kDepthLimit = 16;              // the published file has 6 levels

// Nesting is measured before the parse: a document of nothing but brackets would take gigabytes.
bool is_deep(std::string_view json) {
    int depth = 0;
    bool in_text = false;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (in_text) {
            if (c == '\\')
                ++i;
            else if (c == '"')
                in_text = false;
        } else if (c == '"') {
            in_text = true;
        } else if (c == '[' || c == '{') {
            if (++depth > kDepthLimit) return true;
        } else if (c == ']' || c == '}') {
            --depth;
        }
    }
    return false;
}

// GPT-2's alphabet shows each byte as one visible character: printable Latin-1 as itself, the others from U+0100 up.
std::unordered_map<std::string, unsigned char> byte_alphabet() {
    std::unordered_map<std::string, unsigned char> bytes;
    unsigned hidden = 0x100;
    for (unsigned byte = 0; byte < 256; ++byte) {
        const bool visible = (byte > 0x20 && byte < 0x7F) || (byte > 0xA0 && byte != 0xAD);
        const unsigned code = visible ? byte : hidden++;
        std::string character;
        if (code < 0x80) {
            character = static_cast<char>(code);
        } else {
            character += static_cast<char>(static_cast<unsigned char>(0xC0 | code >> 6));
            character += static_cast<char>(static_cast<unsigned char>(0x80 | (code & 0x3F)));
        }
        bytes.emplace(std::move(character), static_cast<unsigned char>(byte));
    }
    return bytes;
}

class Parser {
  public:
    explicit Parser(const std::string &name) : name_(name) {}

    Result<NeoxVocabulary> parse(std::string_view text) {
        if (text.size() > kFileLimit)
            return damaged(fmt::format("the file has {} bytes, expected at most {}", text.size(), kFileLimit));
        if (is_deep(text)) return damaged("the file is nested too deeply");
        const Json json = Json::parse(text.begin(), text.end(), nullptr, false);
        if (!json.is_object()) return damaged("the file is not a JSON object");
        FF_TRY(check_kind(json));
        const Json &model = json["model"];
        if (!model.contains("vocab") || !model["vocab"].is_object() || !model.contains("merges") ||
            !model["merges"].is_array())
            return damaged("model has no vocab and merges");
        FF_TRY(read_vocab(model["vocab"]));
        read_bytes();
        FF_TRY(read_merges(model["merges"]));
        if (json.contains("added_tokens")) FF_TRY(read_added(json["added_tokens"]));
        return std::move(out_);
    }

  private:
    Error damaged(const std::string &what) const {
        return Error{Status::model_file,
                     fmt::format("{}: {}; is it GPT-NeoX-20B's tokenizer.json, complete?", printable(name_), what)};
    }

    Result<void> check_kind(const Json &json) const {
        const auto setting = [&](const char *part, const char *key, const Json &wanted) -> Result<void> {
            const Json found = json.contains(part) && json[part].is_object() ? json[part].value(key, Json()) : Json();
            if (found == wanted) return {};
            return Error{
                Status::unsupported,
                fmt::format("{}: {}.{} of the tokenizer is {}, expected {}; only GPT-NeoX-20B's kind can be used",
                            printable(name_), part, key, printable(dump(found)), dump(wanted))};
        };
        FF_TRY(setting("model", "type", "BPE"));
        FF_TRY(setting("normalizer", "type", "NFC"));
        FF_TRY(setting("pre_tokenizer", "type", "ByteLevel"));
        FF_TRY(setting("pre_tokenizer", "add_prefix_space", false));
        if (json["pre_tokenizer"].contains("use_regex")) FF_TRY(setting("pre_tokenizer", "use_regex", true));
        for (const char *key : {"dropout", "continuing_subword_prefix", "end_of_word_suffix"})
            if (json["model"].contains(key) && json["model"][key] != "") FF_TRY(setting("model", key, nullptr));
        for (const char *key : {"byte_fallback", "ignore_merges"})
            if (json["model"].contains(key)) FF_TRY(setting("model", key, false));
        return {};
    }

    static std::string dump(const Json &json) {
        return json.dump(-1, ' ', true, Json::error_handler_t::replace); // ASCII, and never throws
    }

    static std::optional<std::uint32_t> id_in(const Json &json) {
        if (!json.is_number_unsigned() || json.get<std::uint64_t>() >= kIdLimit) return std::nullopt;
        return json.get<std::uint32_t>();
    }

    Result<void> set_text(std::uint32_t id, std::string text) {
        if (id >= out_.texts.size()) {
            out_.texts.resize(std::size_t{id} + 1);
            taken_.resize(out_.texts.size(), false);
        }
        if (taken_[id]) return damaged(fmt::format("two tokens have the id {}", id));
        taken_[id] = true;
        out_.texts[id] = std::move(text);
        return {};
    }

    Result<void> read_vocab(const Json &vocab) {
        const auto alphabet = byte_alphabet();
        for (const auto &[token, value] : vocab.items()) {
            const auto id = id_in(value);
            if (!id) return damaged(fmt::format("token {} has no id below {}", printable(token), kIdLimit));
            ids_.emplace(token, *id);
            std::string text;
            for (std::string_view rest = token; !rest.empty();) {
                const std::size_t length = utf8_length(rest); // the parser has checked the UTF-8
                const auto byte = alphabet.find(std::string(rest.substr(0, length)));
                if (byte == alphabet.end()) {
                    // <|endoftext|> and the like may be listed here too, in plain characters.
                    text = token;
                    break;
                }
                text += static_cast<char>(byte->second);
                rest.remove_prefix(length);
            }
            FF_TRY(set_text(*id, std::move(text)));
        }
        return {};
    }

    void read_bytes() {
        out_.bpe.byte_ids.fill(Bpe::kNoId);
        for (const auto &[character, byte] : byte_alphabet())
            if (const auto id = ids_.find(character); id != ids_.end()) out_.bpe.byte_ids[byte] = id->second;
    }

    // "left right", or ["left", "right"] in newer files; earlier ones go first.
    Result<void> read_merges(const Json &merges) {
        std::uint32_t rank = 0;
        for (const Json &merge : merges) {
            std::string left, right;
            if (merge.is_string()) {
                const auto &text = merge.get_ref<const std::string &>();
                const std::size_t space = text.find(' ');
                if (space != text.npos) {
                    left = text.substr(0, space);
                    right = text.substr(space + 1);
                }
            } else if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string()) {
                left = merge[0].get<std::string>();
                right = merge[1].get<std::string>();
            }
            const auto a = ids_.find(left), b = ids_.find(right), ab = ids_.find(left + right);
            if (a == ids_.end() || b == ids_.end() || ab == ids_.end())
                return damaged(
                    fmt::format("merge {} ({}) does not join two tokens into a third", rank, printable(dump(merge))));
            out_.bpe.merges.insert_or_assign(Bpe::pair(a->second, b->second), Bpe::Merge{rank++, ab->second});
        }
        return {};
    }

    Result<void> read_added(const Json &tokens) {
        if (!tokens.is_array()) return damaged("added_tokens is not a list");
        std::unordered_set<std::string> seen;
        for (const Json &token : tokens) {
            const auto flag = [&](const char *key) { return token.contains(key) && token[key] == true; };
            const bool whole = token.is_object() && token.contains("id") && token.contains("content") &&
                               token["content"].is_string() && !token["content"].get_ref<const std::string &>().empty();
            const auto id = whole ? id_in(token["id"]) : std::nullopt;
            if (!id) return damaged(fmt::format("an added token ({}) has no content and id", printable(dump(token))));
            const auto content = token["content"].get<std::string>();
            for (const char *key : {"single_word", "lstrip", "rstrip"})
                if (flag(key))
                    return Error{Status::unsupported, fmt::format("{}: added token {} sets {}, expected false; only "
                                                                  "GPT-NeoX-20B's kind can be used",
                                                                  printable(name_), printable(content), key)};
            if (!seen.insert(content).second)
                return damaged(fmt::format("added token {} appears twice", printable(content)));
            const auto listed = ids_.find(content); // may also stand in vocab, under the same id
            if (listed == ids_.end() || listed->second != *id) {
                FF_TRY(set_text(*id, content));
            } else {
                out_.texts[*id] = content;
            }
            (flag("normalized") ? out_.normalized_tokens : out_.raw_tokens).emplace_back(content, *id);
        }
        return {};
    }

    const std::string &name_;
    std::unordered_map<std::string, std::uint32_t> ids_;
    std::vector<bool> taken_;
    NeoxVocabulary out_;
};

} // namespace

Result<NeoxVocabulary> parse_neox_vocabulary(const std::string &name, std::string_view json) {
    return Parser(name).parse(json);
}

} // namespace ff::loader
