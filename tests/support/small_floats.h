// float16 and bfloat16, rounded to nearest even.
#pragma once

#include "runtime/reference/small_floats.h"

namespace ff::test {
using reference::from_bfloat16, reference::from_half, reference::to_bfloat16, reference::to_half;
} // namespace ff::test
