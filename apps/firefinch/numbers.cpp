#include "numbers.h"

#include <fmt/format.h>

namespace program {

std::string grouped(std::uint64_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, 1, ',');
    return digits;
}

std::string bytes_text(std::uint64_t bytes) {
    const auto scaled = static_cast<double>(bytes);
    if (bytes >= 1'000'000'000) return fmt::format("{:.2f} GB", scaled / 1e9);
    if (bytes >= 1'000'000) return fmt::format("{:.2f} MB", scaled / 1e6);
    if (bytes >= 1'000) return fmt::format("{:.1f} KB", scaled / 1e3);
    return fmt::format("{} bytes", bytes);
}

std::string scaled_text(double value) {
    for (const char prefix : {'k', 'M', 'G'}) {
        value /= 1000;
        if (value < 999.5) return fmt::format("{:.3g} {}", value, prefix); // 999.5 would become 1e+03
    }
    return fmt::format("{:.3g} T", value / 1000);
}

std::string percent_text(double fraction) {
    return fmt::format("{:.1f} %", fraction * 100);
}

std::string speed_text(double tokens_per_second) {
    return fmt::format("{:.2f}", tokens_per_second);
}

} // namespace program
