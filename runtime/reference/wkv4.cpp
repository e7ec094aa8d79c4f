#include "runtime/reference/reference.h"

#include <algorithm>
#include <cmath>

namespace ff::reference {

Vector wkv4(Floats r, Floats k, Floats v, Floats decay, Floats first, Wkv4State &state) {
    Vector y(r.size());
    for (std::size_t i = 0; i < y.size(); ++i) {
        double &aa = state.aa[i], &bb = state.bb[i], &pp = state.pp[i];
        // The output sees this token with the bonus u = time_first ...
        const double bonus = double{first[i]} + double{k[i]}, top = std::max(pp, bonus);
        const double old_share = std::exp(pp - top), new_share = std::exp(bonus - top);
        y[i] = double{r[i]} * (old_share * aa + new_share * double{v[i]}) / (old_share * bb + new_share);
        // ... the state decays and takes it without.
        const double faded = pp + double{decay[i]}, next = std::max(faded, double{k[i]});
        const double keep = std::exp(faded - next), add = std::exp(double{k[i]} - next);
        aa = keep * aa + add * double{v[i]};
        bb = keep * bb + add;
        pp = next;
    }
    return y;
}

} // namespace ff::reference
