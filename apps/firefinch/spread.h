// The samples of a measurement in three figures.
#pragma once

#include <vector>

namespace program {

// Of at least one sample.
struct Spread {
    double median, least, most;
};
Spread spread_of(std::vector<double> samples);

} // namespace program
