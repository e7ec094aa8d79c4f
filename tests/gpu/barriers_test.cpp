#include "tests/gpu/fixture.h"
