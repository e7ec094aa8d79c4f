// Random numbers that are the same on every machine and standard library.
#pragma once

#include "runtime/reference/random.h"

namespace ff::test {
using reference::Random;
} // namespace ff::test
