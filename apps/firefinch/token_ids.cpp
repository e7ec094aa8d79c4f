#include "token_ids.h"

#include "failure.h"

#include <charconv>
#include <stdexcept>

#include <fmt/format.h>

namespace program {

std::vector<std::uint32_t> parse_token_ids(std::string_view text) {
    constexpr std::string_view kSpace = " \t\r\n\v\f";
    std::vector<std::uint32_t> ids;
    for (std::size_t begin = 0; (begin = text.find_first_not_of(kSpace, begin)) != std::string_view::npos;) {
        const std::size_t end = std::min(text.find_first_of(kSpace, begin), text.size());
        const std::string_view word = text.substr(begin, end - begin);
        std::uint32_t id = 0;
        const auto [stopped, error] = std::from_chars(word.data(), word.data() + word.size(), id);
        if (error != std::errc{} || stopped != word.data() + word.size())
            throw std::invalid_argument(fmt::format("'{}' (word {}) is not a token id; ids are whole numbers "
                                                    "separated by white space",
                                                    printable(word.substr(0, 40)), ids.size() + 1));
        ids.push_back(id);
        begin = end;
    }
    return ids;
}

void check_token_ids(const std::vector<std::uint32_t> &ids, std::uint32_t vocabulary, const std::string &source) {
    for (std::size_t i = 0; i < ids.size(); ++i)
        if (ids[i] >= vocabulary)
            throw Failure(fmt::format("{}: token {} (number {}) is beyond the model's vocabulary of {} tokens, 0 to {}",
                                      source, ids[i], i + 1, vocabulary, vocabulary - 1));
}

std::string join_token_ids(const std::vector<std::uint32_t> &ids) {
    return fmt::format("{}", fmt::join(ids, " "));
}

} // namespace program
