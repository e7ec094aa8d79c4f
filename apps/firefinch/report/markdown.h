// A report as Markdown with tables, as forums and code hosts take it.
#pragma once

#include "report/page.h"

#include <string>
#include <string_view>

namespace program::report {

// So that it shows as it is, in a table too: no markup, no link, no mention of anybody.
std::string markdown_escaped(std::string_view text);
std::string markdown_of(const Page &page);

} // namespace program::report
