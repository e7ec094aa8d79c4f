// How far results are from a reference.
#pragma once

#include <cstddef>
#include <span>
#include <string>

namespace ff::reference {

// The worst element of a comparison. `error` is |got - want| / max(1, |want|), infinite where got is not a number.
struct Difference {
    double error = 0;
    std::size_t at = 0;
    double got = 0, want = 0;
};
Difference difference(std::span<const float> got, std::span<const double> want);
Difference difference(std::span<const float> got, std::span<const float> want);
std::string describe(const Difference &difference); // "element 7: 1.5, expected 1.25 (error 0.2)"

} // namespace ff::reference
