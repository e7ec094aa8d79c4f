#include "runtime/reference/reference.h"

namespace ff::reference {

Vector project_add(Floats x, Floats matrix, Floats y, Floats gate) {
    Vector sum = widen(x);
    const Vector product = multiply(matrix, widen(y));
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += (gate.empty() ? 1.0 : double{gate[i]}) * product[i];
    return sum;
}

} // namespace ff::reference
