// Writes pickles, right and wrong ones. Each function returns the instructions that push one value.
#pragma once

#include "tests/formats/support.h"

namespace ff::loader::test::pickled {

std::string text(std::string_view value);
std::string integer(std::int64_t value);
std::string tuple(const std::vector<std::string> &items);
std::string list(const std::vector<std::string> &items);
std::string dict(const std::vector<std::pair<std::string, std::string>> &items);
std::string global(std::string_view module, std::string_view name);
std::string call(const std::string &callable, const std::vector<std::string> &arguments);
std::string ordered_dict(); // an empty one

inline std::string none() {
    return "N";
}
inline std::string yes() {
    return "\x88";
}
inline std::string no() {
    return "\x89";
}

// A tensor as torch writes it; `type` is FloatStorage and the like.
std::string tensor(std::string_view type, std::string_view key, std::int64_t storage_elements, std::int64_t offset,
                   const std::vector<std::int64_t> &shape, const std::vector<std::int64_t> &strides);
std::string parameter(const std::string &tensor);

// A whole pickle of this value.
Bytes pickle(const std::string &value, int protocol = 2);

} // namespace ff::loader::test::pickled
