// Token ids as people write them: decimal numbers separated by white space.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace program {

// Throws std::invalid_argument with a sentence that names the first word that is no id.
std::vector<std::uint32_t> parse_token_ids(std::string_view text);

// Throws Failure if an id is not below the vocabulary; `source` says where the ids come from.
void check_token_ids(const std::vector<std::uint32_t> &ids, std::uint32_t vocabulary, const std::string &source);

std::string join_token_ids(const std::vector<std::uint32_t> &ids);

} // namespace program
