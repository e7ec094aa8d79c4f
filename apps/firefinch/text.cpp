#include "text.h"

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

std::string api_version(std::uint32_t packed) {
    return fmt::format("{}.{}.{}", (packed >> 22U) & 0x7FU, (packed >> 12U) & 0x3FFU, packed & 0xFFFU);
}

void print_json(Output &out, const Json &value) {
    out.write(value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

} // namespace program
