// How devices are named, to people and in JSON.
#pragma once

#include "text.h"

#include <firefinch/firefinch.hpp>

namespace program {

const char *type_name(ff_device_type type);
// Traits and limits by name, as numbers.
Json traits_json(const firefinch::DeviceList &list, std::size_t index);

// [ { "variant", "why" } ]
Json denied_json(const std::vector<firefinch::Named> &denied);
Json or_null(const std::string &text);        // null where it is empty
std::string vendor_name(std::uint32_t id);    // "AMD"; "0x1234" where it is not known
// What every report begins with: schema, firefinch's version, and the time.
Json report_json(const char *schema);
Json device_json(const ff_device_info &device, const std::string &profile, const Json &traits);
// Of the device in the list; null where it has no such device, which another profile or driver choice can bring about.
Json traits_of(const ff_device_info &device, const std::string &profile);

} // namespace program
