// Small pieces of output that several commands share.
#pragma once

#include "files.h"
#include "numbers.h"

#include <cstdint>
#include <string>

#include <nlohmann/json.hpp>

namespace program {

using Json = nlohmann::ordered_json;

std::string api_version(std::uint32_t packed); // Vulkan's 1.3.224

// One line. Bytes that are no UTF-8 become U+FFFD, since JSON cannot hold them.
void print_json(Output &out, const Json &value);

} // namespace program
