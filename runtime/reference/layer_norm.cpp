#include "runtime/reference/reference.h"

#include <cmath>

namespace ff::reference {

Vector widen(Floats values) {
    return {values.begin(), values.end()};
}

double sigmoid(double x) {
    return 1 / (1 + std::exp(-x));
}

Vector layer_norm(std::span<const double> x, Floats weight, Floats bias) {
    const auto count = static_cast<double>(x.size());
    double mean = 0, variance = 0;
    for (const double value : x) mean += value / count;
    for (const double value : x) variance += (value - mean) * (value - mean) / count;
    Vector y(x.size());
    for (std::size_t i = 0; i < x.size(); ++i)
        y[i] = (x[i] - mean) / std::sqrt(variance + 1e-5) * double{weight[i]} + double{bias[i]};
    return y;
}

Vector multiply(Floats matrix, std::span<const double> vector) {
    const std::size_t columns = vector.size(), rows = matrix.size() / columns;
    Vector y(rows, 0.0);
    for (std::size_t row = 0; row < rows; ++row)
        for (std::size_t column = 0; column < columns; ++column)
            y[row] += double{matrix[row * columns + column]} * vector[column];
    return y;
}

} // namespace ff::reference
