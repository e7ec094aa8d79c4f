// Which tokens a generation begins with.
#pragma once

#include "options.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <firefinch/firefinch.hpp>

namespace program {

struct PromptOptions {
    std::optional<std::string> text, file, ids;
};
void add_prompt_options(CLI::App &command, PromptOptions &out);

struct Prompt {
    std::vector<std::uint32_t> ids; // empty: go on from a loaded state
    std::string text;               // as given; "" for ids
};

// `demo`: the embedded demo model, which has a default prompt and wants a first token. `from_state`: a state is loaded,
// so a prompt may be missing. `tokenizer` may be nullptr if the prompt is given as ids. Throws UsageError without a
// prompt, Failure for one that is empty or beyond the vocabulary.
Prompt make_prompt(const PromptOptions &options, bool demo, bool from_state, const firefinch::Tokenizer *tokenizer,
                   std::uint32_t vocabulary);

} // namespace program
