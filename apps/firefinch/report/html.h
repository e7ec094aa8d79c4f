// A report as one HTML page that needs nothing else: no links, no scripts, light and dark, wide, narrow and printed.
#pragma once

#include "report/page.h"

#include <string>
#include <string_view>

namespace program::report {

std::string html_escaped(std::string_view text); // for contents and for attributes in double quotes
std::string html_of(const Page &page);

extern const char *const kStyleSheet;

} // namespace program::report
