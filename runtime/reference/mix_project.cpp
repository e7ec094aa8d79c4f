#include "runtime/reference/reference.h"

#include <cmath>

namespace ff::reference {

Vector token_shift(std::span<const double> normalised, Floats previous, Floats mix) {
    Vector y(normalised.size());
    for (std::size_t i = 0; i < y.size(); ++i)
        y[i] = normalised[i] + (double{previous[i]} - normalised[i]) * double{mix[i]};
    return y;
}

Vector mix_project(Floats matrix, std::span<const double> shifted, Activation activation) {
    Vector y = multiply(matrix, shifted);
    for (double &value : y) switch (activation) {
        case Activation::none:
            break;
        case Activation::sigmoid:
            value = sigmoid(value);
            break;
        case Activation::tanh:
            value = std::tanh(value);
            break;
        case Activation::relu_squared:
            value = value > 0 ? value * value : 0;
            break;
        case Activation::silu:
            value *= sigmoid(value);
            break;
        }
    return y;
}

} // namespace ff::reference
