#include "loader/tokenizer/unicode.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <cstdlib>
#include <fmt/format.h>
#include <utf8proc.h>

namespace ff::loader {

namespace {

// White space is spelled out: in PCRE2, \s also takes U+180E, which lost the property White_Space in Unicode 6.3.
#define FF_SPACE "\\t-\\r \\x{85}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}"
constexpr char kPattern[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^" FF_SPACE "\\p{L}\\p{N}]+"
                            "|[" FF_SPACE "]+(?![^" FF_SPACE "])|[" FF_SPACE "]+";
#undef FF_SPACE

std::string pcre2_text(int error) {
    PCRE2_UCHAR buffer[256] = {};
    pcre2_get_error_message(error, buffer, sizeof buffer);
    return reinterpret_cast<const char *>(buffer);
}

} // namespace

Result<std::string> to_nfc(std::string_view text) {
    utf8proc_uint8_t *out = nullptr;
    const utf8proc_ssize_t size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t *>(text.data()),
                                               static_cast<utf8proc_ssize_t>(text.size()), &out,
                                               static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    if (size < 0) return Error{Status::internal, fmt::format("cannot bring text into NFC: {}", utf8proc_errmsg(size))};
    const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(out, &std::free);
    return std::string(reinterpret_cast<const char *>(out), static_cast<std::size_t>(size));
}

void WordPattern::Free::operator()(void *code) const {
    pcre2_code_free(static_cast<pcre2_code *>(code));
}

Result<WordPattern> WordPattern::create() {
    int error = 0;
    PCRE2_SIZE at = 0;
    pcre2_code *code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(kPattern), PCRE2_ZERO_TERMINATED,
                                     PCRE2_UTF | PCRE2_UCP, &error, &at, nullptr);
    if (code == nullptr)
        return Error{Status::unsupported,
                     fmt::format("this PCRE2 cannot split words: {} at character {} of the pattern; "
                                 "it must be built with Unicode",
                                 pcre2_text(error), at)};
    return WordPattern(code);
}

Result<std::vector<std::size_t>> WordPattern::ends_of_words(std::string_view text) const {
    const auto *code = static_cast<const pcre2_code *>(code_.get());
    const std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> match(
        pcre2_match_data_create_from_pattern(code, nullptr), &pcre2_match_data_free);
    if (!match) return Error{Status::out_of_host_memory, "not enough memory to split text into words"};
    std::vector<std::size_t> ends;
    for (std::size_t at = 0; at < text.size();) {
        // The text is known to be UTF-8; checking it again at each word would make this quadratic.
        const int found = pcre2_match(code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), at,
                                      PCRE2_ANCHORED | PCRE2_NO_UTF_CHECK, match.get(), nullptr);
        if (found < 0) // every character belongs to one of the pattern's classes, so this is a limit of PCRE2
            return Error{Status::internal,
                         fmt::format("cannot split text into words at byte {}: {}", at, pcre2_text(found))};
        at = pcre2_get_ovector_pointer(match.get())[1];
        ends.push_back(at);
    }
    return ends;
}

} // namespace ff::loader
