// The conversions that other tests lean on.
#include "tests/support/small_floats.h"

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

using namespace ff::test;

TEST_CASE("every float16 survives a round trip") {
    for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
        const auto half = static_cast<std::uint16_t>(bits);
        const float value = from_half(half);
        if (std::isnan(value)) continue;
        if (to_half(value) != half) FAIL("float16 ", bits, " became ", to_half(value));
    }
}

TEST_CASE("float16 rounds to nearest, ties to even") {
    CHECK(to_half(1.0F) == 0x3c00);
    CHECK(to_half(1.0F + 0x1p-11F) == 0x3c00); // half a step
    CHECK(to_half(1.0F + 3 * 0x1p-11F) == 0x3c02);
    CHECK(to_half(0x1.ffep-1F + 0x1p-12F) == 0x3c00);
    CHECK(to_half(65519.0F) == 0x7bff);
    CHECK(to_half(65520.0F) == 0x7c00);
    CHECK(to_half(-0x1p-24F) == 0x8001);
    CHECK(to_half(0x1p-25F) == 0);
}

TEST_CASE("bfloat16 rounds to nearest, ties to even") {
    CHECK(to_bfloat16(1.0F) == 0x3f80);
    CHECK(to_bfloat16(1.0F + 0x1p-8F) == 0x3f80);
    CHECK(to_bfloat16(1.0F + 3 * 0x1p-8F) == 0x3f82);
    CHECK(from_bfloat16(to_bfloat16(-3.5F)) == -3.5F);
    CHECK(std::isnan(from_bfloat16(to_bfloat16(std::numeric_limits<float>::quiet_NaN()))));
}
