#include "lora.h"

#include <charconv>
#include <cmath>
#include <system_error>

namespace program {

Lora parse_lora(const std::string &text) {
    const std::size_t colon = text.rfind(':');
    if (colon == std::string::npos || colon == 0) return {text, std::nullopt};
    double alpha = 0;
    const char *begin = text.data() + colon + 1, *end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(begin, end, alpha);
    if (error != std::errc{} || stopped != end || begin == end || !std::isfinite(alpha)) return {text, std::nullopt};
    return {text.substr(0, colon), alpha};
}

} // namespace program
