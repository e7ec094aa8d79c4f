// How devices are named, to people and in JSON.
#pragma once

#include "text.h"

#include <firefinch/firefinch.hpp>

namespace program {

const char *type_name(ff_device_type type);
// Traits and limits by name, as numbers.
Json traits_json(const firefinch::DeviceList &list, std::size_t index);

} // namespace program
