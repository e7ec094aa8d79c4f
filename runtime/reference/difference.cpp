#include "runtime/reference/difference.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

namespace ff::reference {
namespace {

template <class Want>
Difference compare(std::span<const float> got, std::span<const Want> want) {
    if (got.size() != want.size())
        return {std::numeric_limits<double>::infinity(), std::min(got.size(), want.size()),
                static_cast<double>(got.size()), static_cast<double>(want.size())};
    Difference worst;
    for (std::size_t i = 0; i < got.size(); ++i) {
        const double g = got[i], w = want[i];
        double error = std::fabs(g - w) / std::max(1.0, std::fabs(w));
        if (!std::isfinite(g)) error = std::numeric_limits<double>::infinity();
        if (error > worst.error) worst = {error, i, g, w};
    }
    return worst;
}

} // namespace

Difference difference(std::span<const float> got, std::span<const double> want) {
    return compare(got, want);
}
Difference difference(std::span<const float> got, std::span<const float> want) {
    return compare(got, want);
}

std::string describe(const Difference &difference) {
    return fmt::format("element {}: {}, expected {} (error {:.3g})", difference.at, difference.got, difference.want,
                       difference.error);
}

} // namespace ff::reference
