// Text to token ids and back. Both directions are exact on arbitrary bytes.
#pragma once

#include "runtime/base/result.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ff::loader {

class TensorSource;

// Tokens that mean something beside their text.
enum class TokenRole : std::uint8_t { end_of_text, end_of_turn };

class Tokenizer {
  public:
    virtual ~Tokenizer() = default;
    virtual std::string_view name() const = 0;    // "bytes", "world", "20b", "file"
    virtual std::uint32_t vocabulary() const = 0; // ids are below this
    virtual Result<std::vector<std::uint32_t>> encode(std::string_view text) const = 0;
    // The bytes of one id; empty for ids without text (end of text). Fails with argument for an id out of range.
    virtual Result<std::string> decode(std::uint32_t id) const = 0;
    virtual std::optional<std::uint32_t> special(TokenRole) const { return std::nullopt; }
};

// A token is a byte.
std::unique_ptr<Tokenizer> make_byte_tokenizer();
// RWKV's world tokenizer from the vocabulary that the library carries. The other two take one: longest match over the
// entries of rwkv_vocab_v20230424.txt. It has 65536 ids, as the models have rows; id 0 (end of text) and those above
// the file's last have no text. Every byte string can be encoded. Fails with io, or with model_file naming the line
// that is wrong.
Result<std::unique_ptr<Tokenizer>> make_world_tokenizer();
Result<std::unique_ptr<Tokenizer>> make_world_tokenizer(const std::string &vocabulary_path);
// The same from the file's content; `name` stands in for the path in messages. Nothing is kept of `vocabulary`.
Result<std::unique_ptr<Tokenizer>> make_world_tokenizer(const std::string &name, std::string_view vocabulary);
// GPT-NeoX BPE, the vocabulary again the library's own or from a HuggingFace tokenizer.json. As the original does, it
// brings text into Unicode's form NFC first and finds the added tokens (<|endoftext|> among them) in it. Bytes that are
// not UTF-8 are kept as they are, but for those that UTF-8 never has (0xC0, 0xFE): the published vocabulary lacks them,
// and encode fails with argument. 50277 ids; decode takes those up to 50303 too, which the padded rows of RWKV-7 Pile
// models have: they have no text. Fails with io, model_file (damaged), or unsupported (a tokenizer that works
// otherwise, naming the setting).
Result<std::unique_ptr<Tokenizer>> make_20b_tokenizer();
Result<std::unique_ptr<Tokenizer>> make_20b_tokenizer(const std::string &tokenizer_json_path);
Result<std::unique_ptr<Tokenizer>> make_20b_tokenizer(const std::string &name, std::string_view tokenizer_json);

// From a file of either kind, told by its first byte: JSON, or the lines of the world vocabulary.
Result<std::unique_ptr<Tokenizer>> make_tokenizer_from(const std::string &path);

// The vocabulary that a model's file brings along, by longest match: a .gguf whose tokenizer.ggml.model is "rwkv". It
// is called "world" if it is that one. Tokens that the file types as control or unused have no text. end_of_text and
// end_of_turn are those that the file names (tokenizer.ggml.eos_token_id, eot_token_id); without the first it is 0 if
// that has no text, as in the world vocabulary.
// Fails with unsupported where the file brings none of this kind, and with model_file where it does not go with the
// model's rows, or names a token that there is not.
Result<std::unique_ptr<Tokenizer>> make_file_tokenizer(const TensorSource &source);
// Whether there is something to make one of.
bool brings_vocabulary(const TensorSource &source);

} // namespace ff::loader
