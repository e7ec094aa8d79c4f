// The pictures of a report, as SVG inside HTML. Bars and ratios have no text and are stretched to the width there is;
// colours come from the page's style sheet.
#pragma once

#include "report/page.h"

#include <string>

namespace program::report {

std::string bar_svg(const BarMark &bar);
std::string ratio_svg(const RatioMark &mark);
std::string plot_svg(const Plot &plot);
// The mark of a series, for the legend.
std::string series_mark_svg(std::size_t series);

} // namespace program::report
