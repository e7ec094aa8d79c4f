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
    virtual std::string_view name() const = 0;     // "bytes", "world", "20b"
    virtual std::uint32_t vocabulary() const = 0;  // ids are below this
    virtual Result<std::vector<std::uint32_t>> encode(std::string_view text) const = 0;
    // The bytes of one id; empty for ids without text (end of text). Fails with argument for an id out of range.
    virtual Result<std::string> decode(std::uint32_t id) const = 0;
};

// A token is a byte.
std::unique_ptr<Tokenizer> make_byte_tokenizer();
// RWKV's world tokenizer: longest match over the entries of rwkv_vocab_v20230424.txt.
Result<std::unique_ptr<Tokenizer>> make_world_tokenizer(const std::string &vocabulary_path);
// GPT-NeoX BPE from a HuggingFace tokenizer.json.
Result<std::unique_ptr<Tokenizer>> make_20b_tokenizer(const std::string &tokenizer_json_path);

} // namespace ff::loader
