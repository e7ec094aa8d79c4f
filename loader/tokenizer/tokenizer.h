// Text to token ids and back. Both directions are exact on arbitrary bytes.
#pragma once

#include "runtime/base/result.h"

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ff::loader {

class Tokenizer {
  public:
    virtual ~Tokenizer() = default;
    virtual std::string_view name() const = 0;    // "bytes", "world", "20b"
    virtual std::uint32_t vocabulary() const = 0; // ids are below this
    virtual Result<std::vector<std::uint32_t>> encode(std::string_view text) const = 0;
    // The bytes of one id; empty for ids without text (end of text). Fails with argument for an id out of range.
    virtual Result<std::string> decode(std::uint32_t id) const = 0;
};

// A token is a byte.
std::unique_ptr<Tokenizer> make_byte_tokenizer();
// RWKV's world tokenizer: longest match over the entries of rwkv_vocab_v20230424.txt. It has 65536 ids, as the models
// have rows; id 0 (end of text) and those above the file's last have no text. Every byte string can be encoded.
// Fails with io, or with model_file naming the line that is wrong.
Result<std::unique_ptr<Tokenizer>> make_world_tokenizer(const std::string &vocabulary_path);
// The same from the file's content; `name` stands in for the path in messages. Nothing is kept of `vocabulary`.
Result<std::unique_ptr<Tokenizer>> make_world_tokenizer(const std::string &name, std::string_view vocabulary);
// GPT-NeoX BPE from a HuggingFace tokenizer.json. As the original does, it brings text into Unicode's form NFC first
// and finds the added tokens (<|endoftext|> among them) in it. Bytes that are not UTF-8 are kept as they are, but for
// those that UTF-8 never has (0xC0, 0xFE): the published vocabulary lacks them, and encode fails with argument. 50277
// ids; decode takes those up to 50303 too, which the padded rows of RWKV-7 Pile models have: they have no text. Fails
// with io, model_file (damaged), or unsupported (a tokenizer that works otherwise, naming the setting).
Result<std::unique_ptr<Tokenizer>> make_20b_tokenizer(const std::string &tokenizer_json_path);
Result<std::unique_ptr<Tokenizer>> make_20b_tokenizer(const std::string &name, std::string_view tokenizer_json);

} // namespace ff::loader
