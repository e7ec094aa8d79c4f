// The parts of a HuggingFace tokenizer.json that GPT-NeoX-20B's tokenizer is made of.
#pragma once

#include "loader/tokenizer/bpe.h"
#include "runtime/base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace ff::loader {

struct NeoxVocabulary {
    using AddedTokens = std::vector<std::pair<std::string, std::uint32_t>>;

    Bpe bpe;
    std::vector<std::string> texts; // bytes by id; empty where an id has none
    AddedTokens raw_tokens;         // looked for in the text as it is: <|endoftext|>
    AddedTokens normalized_tokens;  // looked for after NFC: runs of spaces
};

// Accepts byte-level BPE with NFC and GPT-2's words, and nothing that works otherwise.
// Fails with model_file (damaged) or unsupported (naming the setting); `name` begins the message.
Result<NeoxVocabulary> parse_neox_vocabulary(const std::string &name, std::string_view json);

} // namespace ff::loader
