#include "runtime/reference/random.h"

#include <cmath>
#include <numbers>

namespace ff::reference {

std::uint64_t Random::bits() { // Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

double Random::uniform() {
    return static_cast<double>(bits() >> 11) * 0x1p-53;
}

double Random::normal() { // Box and Muller
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
}

std::vector<float> Random::vector(std::size_t count, double deviation, double mean) {
    std::vector<float> values(count);
    for (float &value : values) value = static_cast<float>(mean + deviation * normal());
    return values;
}

} // namespace ff::reference
