#include "runtime/reference/reference.h"

namespace ff::reference {

Vector embed(Floats row, Floats norm_weight, Floats norm_bias) {
    return layer_norm(widen(row), norm_weight, norm_bias);
}

} // namespace ff::reference
