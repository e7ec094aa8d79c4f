// RWKV's own way to find tokens: the longest entry of a vocabulary that the text begins with, again and again.
#pragma once

#include "loader/tokenizer/text_table.h"
#include "loader/tokenizer/tokenizer.h"

namespace ff::loader {

struct SpecialTokens {
    std::optional<std::uint32_t> end_of_text = {}, end_of_turn = {};
    std::optional<std::uint32_t> of(TokenRole role) const {
        return role == TokenRole::end_of_text ? end_of_text : end_of_turn;
    }
};

// `name` is a literal. Ids without text are found nowhere; of equal texts the lowest id is. A byte that no entry begins
// with fails to encode, with argument.
std::unique_ptr<Tokenizer> make_longest_match(std::string_view name, TextTable texts, SpecialTokens special);

} // namespace ff::loader
