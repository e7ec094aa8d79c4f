#include "text.h"

#include <fmt/format.h>

namespace program {

std::string api_version(std::uint32_t packed) {
    return fmt::format("{}.{}.{}", (packed >> 22U) & 0x7FU, (packed >> 12U) & 0x3FFU, packed & 0xFFFU);
}

void print_json(Output &out, const Json &value) {
    out.write(value.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n");
}

} // namespace program
