// Random numbers that are the same on every machine and standard library.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace ff::reference {

class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}

    std::uint64_t bits(); // splitmix64
    double uniform();     // [0, 1)
    double normal();

    // Floats with mean `mean` and standard deviation `deviation`.
    std::vector<float> vector(std::size_t count, double deviation = 1.0, double mean = 0.0);

  private:
    std::uint64_t state_;
};

} // namespace ff::reference
