// What was, or would be, written: by type, and the tensors that did not get the type that was asked for.
#pragma once

#include "text.h"

#include <string>

#include <firefinch/firefinch.hpp>

namespace program {

std::string write_report_text(const firefinch::WriteReport &report, const std::string &file, bool dry_run);
Json write_report_json(const firefinch::WriteReport &report); // the members "bytes", "types", "fallbacks"

} // namespace program
