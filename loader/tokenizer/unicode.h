// The two pieces of Unicode that the 20B tokenizer needs, from utf8proc and PCRE2.
#pragma once

#include "runtime/base/result.h"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace ff::loader {

// Normalization form C (Unicode Standard Annex 15) of valid UTF-8.
Result<std::string> to_nfc(std::string_view text);

// GPT-2's split of text into words: https://github.com/openai/gpt-2, src/encoder.py. Safe to use from several threads.
class WordPattern {
  public:
    static Result<WordPattern> create();

    // Calls take(word) for each word of valid UTF-8; the words joined are the text.
    template <class Take>
    Result<void> split(std::string_view text, Take &&take) const {
        FF_TRY_ASSIGN(const std::vector<std::size_t> ends, ends_of_words(text));
        std::size_t begin = 0;
        for (const std::size_t end : ends) {
            take(text.substr(begin, end - begin));
            begin = end;
        }
        return {};
    }

  private:
    struct Free {
        void operator()(void *code) const;
    };
    explicit WordPattern(void *code) : code_(code) {}
    Result<std::vector<std::size_t>> ends_of_words(std::string_view text) const;

    std::unique_ptr<void, Free> code_; // a pcre2_code, whose header would define macros for everyone
};

} // namespace ff::loader
