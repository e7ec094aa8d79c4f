#include "runtime/reference/reference.h"

namespace ff::reference {

Vector head(Floats matrix, Floats x, Floats norm_weight, Floats norm_bias) {
    return multiply(matrix, layer_norm(widen(x), norm_weight, norm_bias));
}

} // namespace ff::reference
