// How far results are from a reference, as a check.
#pragma once

#include "runtime/reference/difference.h"

namespace ff::test {
using reference::describe, reference::Difference, reference::difference;
} // namespace ff::test

// Prints the worst element when it fails, and re-runs nothing.
#define CHECK_CLOSE(got, want, tolerance)                                                                              \
    do {                                                                                                               \
        const ::ff::reference::Difference ff_difference_ = ::ff::reference::difference(got, want);                     \
        CHECK_MESSAGE(ff_difference_.error <= (tolerance), ::ff::reference::describe(ff_difference_));                 \
    } while (false)
