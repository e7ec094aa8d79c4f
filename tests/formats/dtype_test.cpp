#include "tests/formats/support.h"

#include <bit>
#include <cmath>

using namespace ff::loader;
using namespace ff::loader::test;

namespace {

// What IEEE 754 says a half is, in double arithmetic.
double half_value(std::uint16_t half) {
    const int exponent = half >> 10 & 31, mantissa = half & 1023;
    const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
    return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

} // namespace

TEST_CASE("names and sizes of stored types") {
    CHECK(name_of(DType::f32) == "f32");
    CHECK(name_of(DType::f16) == "f16");
    CHECK(name_of(DType::bf16) == "bf16");
    CHECK(bytes_per_element(DType::f32) == 4);
    CHECK(bytes_per_element(DType::f16) == 2);
    CHECK(bytes_per_element(DType::bf16) == 2);
}

TEST_CASE("every f16 widens exactly") {
    Bytes stored;
    for (unsigned i = 0; i < 65536; ++i) append_le(stored, static_cast<std::uint16_t>(i));
    std::vector<float> wide(65536);
    to_float32(DType::f16, stored, wide);
    int wrong = 0;
    for (unsigned i = 0; i < 65536; ++i) {
        const auto half = static_cast<std::uint16_t>(i);
        const bool special = (half & 0x7C00) == 0x7C00;
        const bool nan = special && (half & 0x3FF) != 0;
        const bool sign = (half & 0x8000) != 0;
        if (std::signbit(wide[i]) != sign) ++wrong;
        if (nan       ? !std::isnan(wide[i])
            : special ? !std::isinf(wide[i])
                      : static_cast<double>(wide[i]) != half_value(half))
            ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("every bf16 is the upper half of its float") {
    Bytes stored;
    for (unsigned i = 0; i < 65536; ++i) append_le(stored, static_cast<std::uint16_t>(i));
    std::vector<float> wide(65536);
    to_float32(DType::bf16, stored, wide);
    int wrong = 0;
    for (unsigned i = 0; i < 65536; ++i)
        if (std::bit_cast<std::uint32_t>(wide[i]) != i << 16) ++wrong;
    CHECK(wrong == 0);
}

TEST_CASE("f32 is copied, from any alignment") {
    Bytes stored = bytes_of(std::vector<float>{0, 1.5f, -2.25f, INFINITY});
    stored.insert(stored.begin(), std::byte{0});
    std::vector<float> wide(4);
    to_float32(DType::f32, std::span(stored).subspan(1), wide);
    CHECK(wide == std::vector<float>{0, 1.5f, -2.25f, INFINITY});
    to_float32(DType::f32, {}, {});
}

TEST_CASE("elements and bytes of a tensor") {
    CHECK(TensorInfo{"a", DType::f32, {}}.elements() == 1);
    CHECK(TensorInfo{"a", DType::f16, {3, 5}}.bytes() == 30);
    CHECK(TensorInfo{"a", DType::f32, {0, 1ull << 63}}.elements() == 0);
    CHECK(TensorInfo{"a", DType::f32, {1ull << 63, 4}}.elements() == UINT64_MAX); // never a small wrapped number
}
