// Block formats: decoding against other people's numbers and against loops written straight from the layouts, encoding
// against bounds on its error.
#include "loader/quant/blocks.h"
#include "loader/quant/formats.h"
#include "loader/quant/small_floats.h"
#include "tests/formats/quant_vectors.h"
#include "tests/formats/support.h"

#include <cmath>
#include <random>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

constexpr DType kBlocks[] = {DType::q8_0, DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1,
                             DType::q4_k, DType::q5_k, DType::q6_k, DType::nf4};

Bytes from_hex(std::string_view hex) {
    Bytes out;
    for (std::size_t i = 0; i < hex.size(); i += 2)
        out.push_back(static_cast<std::byte>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16)));
    return out;
}

std::vector<float> decoded(DType dtype, const Bytes &stored) {
    std::vector<float> values(stored.size() / block_bytes(dtype) * block_elements(dtype));
    to_float32(dtype, stored, values);
    return values;
}

Bytes encoded(DType dtype, const std::vector<float> &values) {
    Bytes stored(values.size() / block_elements(dtype) * block_bytes(dtype));
    encode(dtype, values, stored);
    return stored;
}

std::vector<float> gaussian(std::size_t count, unsigned seed, float deviation) {
    std::mt19937 random(seed); // its words are the same everywhere, normal_distribution is not
    std::vector<float> values(count);
    for (float &value : values) {
        double sum = -6;
        for (int i = 0; i < 12; ++i) sum += static_cast<double>(random()) / 4294967296.0;
        value = static_cast<float>(sum) * deviation;
    }
    return values;
}

double relative_error(const std::vector<float> &got, const std::vector<float> &want) {
    double error = 0, square = 0;
    for (std::size_t i = 0; i < want.size(); ++i) {
        error += std::pow(double(got[i]) - double(want[i]), 2);
        square += double(want[i]) * double(want[i]);
    }
    return std::sqrt(error / square);
}

// The layouts of ggml's K blocks in double arithmetic, walked in the order in which its documentation gives them.
std::vector<double> k_reference(DType dtype, const Bytes &block) {
    const auto u8 = [&](std::size_t i) { return std::to_integer<int>(block[i]); };
    const auto f16 = [&](std::size_t i) {
        return double(widen_f16(static_cast<std::uint16_t>(u8(i) | u8(i + 1) << 8)));
    };
    std::vector<double> y;
    if (dtype == DType::q6_k) {
        y.resize(256);
        for (std::size_t n = 0; n < 256; n += 128)
            for (std::size_t l = 0; l < 32; ++l) {
                const std::size_t ql = n / 2, qh = 128 + n / 4, sc = 192 + n / 16 + l / 16;
                const auto scale = [&](std::size_t i) { return f16(208) * static_cast<std::int8_t>(u8(sc + i)); };
                const int high = u8(qh + l);
                y[n + l] = scale(0) * (((u8(ql + l) & 15) | (high & 3) << 4) - 32);
                y[n + l + 32] = scale(2) * (((u8(ql + l + 32) & 15) | (high >> 2 & 3) << 4) - 32);
                y[n + l + 64] = scale(4) * ((u8(ql + l) >> 4 | (high >> 4 & 3) << 4) - 32);
                y[n + l + 96] = scale(6) * ((u8(ql + l + 32) >> 4 | (high >> 6 & 3) << 4) - 32);
            }
        return y;
    }
    const bool five = dtype == DType::q5_k;
    for (std::size_t j = 0; j < 8; ++j) {
        const auto p = [&](std::size_t i) { return u8(4 + i); };
        const int s = j < 4 ? (p(j) & 63) : (p(j + 4) & 15) | (p(j - 4) >> 6) << 4;
        const int m = j < 4 ? (p(j + 4) & 63) : (p(j + 4) >> 4) | (p(j) >> 6) << 4;
        for (std::size_t l = 0; l < 32; ++l) {
            const int both = u8((five ? 48 : 16) + j / 2 * 32 + l);
            int q = j % 2 == 1 ? both >> 4 : both & 15;
            if (five && (u8(16 + l) & 1 << j) != 0) q += 16;
            y.push_back(f16(0) * s * q - f16(2) * m);
        }
    }
    return y;
}

} // namespace

TEST_CASE("the table of formats") {
    CHECK(formats().size() == 12);
    for (const Format &format : formats()) {
        CAPTURE(format.name);
        CHECK(format_of(format.dtype).name == format.name);
        CHECK(dtype_named(format.name) == format.dtype);
        CHECK(name_of(format.dtype) == format.name);
        CHECK(block_elements(format.dtype) == format.elements);
        CHECK(block_bytes(format.dtype) == format.bytes);
        for (const int factor : {format.factor, format.second_factor})
            CHECK(factor + 2 <= static_cast<int>(format.bytes));
    }
    CHECK_FALSE(dtype_named("q3_k").has_value());
    CHECK_FALSE(dtype_named("").has_value());
}

TEST_CASE("rows of blocks") {
    CHECK(TensorInfo{"a", DType::q4_k, {3, 512}}.row_bytes() == 288);
    CHECK(TensorInfo{"a", DType::q4_k, {3, 512}}.bytes() == 864);
    CHECK(TensorInfo{"a", DType::q4_k, {256, 3}}.bytes() == UINT64_MAX); // rows are not made of half blocks
    CHECK(TensorInfo{"a", DType::q8_0, {}}.bytes() == UINT64_MAX);
    CHECK(TensorInfo{"a", DType::q8_0, {0, 64}}.bytes() == 0);
    CHECK(TensorInfo{"a", DType::q8_0, {1ull << 60, 64}}.bytes() == UINT64_MAX);
    CHECK(TensorInfo{"a", DType::nf4, {2, 2, 64}}.bytes() == 4 * 34);
}

TEST_CASE("narrowing rounds to nearest even, and undoes widening") {
    int wrong = 0;
    for (unsigned i = 0; i < 0x7C00; ++i) {
        const auto half = static_cast<std::uint16_t>(i), next = static_cast<std::uint16_t>(i + 1);
        const float low = widen_f16(half), high = next == 0x7C00 ? 65536.0f : widen_f16(next);
        const float middle = (low + high) / 2; // exact
        if (narrow_f16(low) != half) ++wrong;
        if (narrow_f16(-low) != (half | 0x8000)) ++wrong;
        if (narrow_f16(middle) != (i % 2 == 0 ? half : next)) ++wrong;
        if (narrow_f16(std::nextafter(middle, 0.0f)) != half) ++wrong;
        if (narrow_f16(std::nextafter(middle, 1e6f)) != next) ++wrong;
    }
    CHECK(wrong == 0);
    CHECK(narrow_f16(INFINITY) == 0x7C00);
    CHECK(narrow_f16(-1e30f) == 0xFC00);
    CHECK(std::isnan(widen_f16(narrow_f16(NAN))));
    CHECK(narrow_bf16(1.0f) == 0x3F80);
    CHECK(narrow_bf16(1.00390625f) == 0x3F80); // halfway: to even
    CHECK(narrow_bf16(1.01171875f) == 0x3F82);
    CHECK(std::isnan(widen_bf16(narrow_bf16(NAN))));
}

TEST_CASE("blocks decode to recorded values") {
    for (const BlockVector &vector : kBlockVectors) {
        CAPTURE(name_of(vector.dtype));
        const std::vector<float> values = decoded(vector.dtype, from_hex(vector.hex));
        REQUIRE(values.size() == 32);
        for (std::size_t i = 0; i < 32; ++i) {
            CAPTURE(i);
            CHECK(std::fabs(values[i] - vector.values[i]) <= 2e-8f + 1e-7f * std::fabs(vector.values[i]));
        }
    }
}

TEST_CASE("K blocks decode as their layout says, whatever the bytes") {
    std::mt19937 random(3);
    for (const DType dtype : {DType::q4_k, DType::q5_k, DType::q6_k})
        for (int repeat = 0; repeat < 50; ++repeat) {
            Bytes block(block_bytes(dtype));
            for (std::byte &byte : block) byte = static_cast<std::byte>(random() & 255);
            for (const int factor : {format_of(dtype).factor, format_of(dtype).second_factor})
                if (factor >= 0) block[static_cast<std::size_t>(factor) + 1] &= std::byte{0xBF}; // finite
            const std::vector<float> values = decoded(dtype, block);
            const std::vector<double> expected = k_reference(dtype, block);
            int wrong = 0;
            for (std::size_t i = 0; i < 256; ++i)
                if (!(std::fabs(values[i] - expected[i]) <= 1e-6 * (1 + 100 * std::fabs(expected[i])))) ++wrong;
            CAPTURE(name_of(dtype));
            CHECK(wrong == 0);
        }
}

TEST_CASE("nf4: the first of two elements is the low nibble") {
    Bytes block(34, std::byte{0});
    block[1] = std::byte{0x40}; // 2.0
    block[2] = std::byte{0xF0};
    block[33] = std::byte{0x7E};
    const std::vector<float> values = decoded(DType::nf4, block);
    CHECK(values[0] == -2.0f);
    CHECK(values[1] == 2.0f);
    CHECK(values[62] == 2 * kNf4[14]);
    CHECK(values[63] == 0.0f);
}

// What a format loses on normally distributed values, relative to their size: as measured, and a few percent more.
TEST_CASE("encoding loses little") {
    struct Bound {
        DType dtype;
        double bound;
    };
    const std::vector<float> values = gaussian(256 * 200, 1, 0.02f);
    for (const Bound &row :
         {Bound{DType::q8_0, 0.0055}, Bound{DType::q4_0, 0.083}, Bound{DType::q4_1, 0.072}, Bound{DType::q5_0, 0.041},
          Bound{DType::q5_1, 0.035}, Bound{DType::q4_k, 0.072}, Bound{DType::q5_k, 0.0355}, Bound{DType::q6_k, 0.0177},
          Bound{DType::nf4, 0.088}, Bound{DType::f16, 0.00022}, Bound{DType::bf16, 0.0018}, Bound{DType::f32, 0}}) {
        CAPTURE(name_of(row.dtype));
        CHECK(relative_error(decoded(row.dtype, encoded(row.dtype, values)), values) <= row.bound);
    }
}

TEST_CASE("encoding keeps outliers and lopsided blocks") {
    for (const DType dtype : kBlocks) {
        CAPTURE(name_of(dtype));
        std::vector<float> values = gaussian(256 * 8, 2, 1.0f);
        for (std::size_t i = 0; i < values.size(); i += 97) values[i] *= 12;
        CHECK(relative_error(decoded(dtype, encoded(dtype, values)), values) < 0.15);
        for (float &value : values) value = std::fabs(value);
        CHECK(relative_error(decoded(dtype, encoded(dtype, values)), values) < 0.15);
        for (float &value : values) value = 5 - value * 0.1f;
        CHECK(relative_error(decoded(dtype, encoded(dtype, values)), values) < 0.15);
    }
}

TEST_CASE("encoding: zeros stay zeros, equal values stay equal, what a block can hold is kept") {
    for (const DType dtype : kBlocks) {
        CAPTURE(name_of(dtype));
        for (const float value : decoded(dtype, encoded(dtype, std::vector<float>(256, 0.0f)))) CHECK(value == 0.0f);
        for (const float same : {0.25f, -0.25f})
            for (const float value : decoded(dtype, encoded(dtype, std::vector<float>(256, same))))
                CHECK(value == doctest::Approx(same).epsilon(0.02));
        const std::vector<float> once = decoded(dtype, encoded(dtype, gaussian(256 * 20, 5, 1.0f)));
        CHECK(relative_error(decoded(dtype, encoded(dtype, once)), once) < 0.03);
    }
}

TEST_CASE("encoding is deterministic and survives any input") {
    for (const DType dtype : kBlocks) {
        CAPTURE(name_of(dtype));
        std::vector<float> values = gaussian(512, 6, 1.0f);
        CHECK(encoded(dtype, values) == encoded(dtype, values));
        for (const float odd : {NAN, INFINITY, -INFINITY, 3e38f, -1e30f, 1e-42f, 1e-30f, 70000.0f}) {
            values[3] = odd;
            values[300] = -odd;
            (void)decoded(dtype, encoded(dtype, values));
            (void)decoded(dtype, encoded(dtype, std::vector<float>(256, odd)));
        }
    }
}

TEST_CASE("spans that do not match are not overrun") {
    std::vector<float> values(300, 1.0f);
    Bytes stored(1000, std::byte{7});
    for (const Format &format : formats()) {
        encode(format.dtype, std::span(values).first(format.elements * 2 - 1), std::span(stored).first(format.bytes));
        decode(format.dtype, std::span(stored).first(format.bytes * 2 - 1), std::span(values).first(format.elements));
        decode(format.dtype, {}, values);
        encode(format.dtype, {}, stored);
    }
}

TEST_CASE("scaling by a power of two is exact, or says that it is not") {
    const std::vector<float> values = gaussian(512, 9, 0.02f);
    for (const Format &format : formats()) {
        CAPTURE(format.name);
        const Bytes before = encoded(format.dtype, values);
        Bytes scaled = before;
        REQUIRE(scale_by_power_of_two(format.dtype, scaled, 5));
        std::vector<float> expected = decoded(format.dtype, before);
        for (float &value : expected) value *= 32;
        CHECK(decoded(format.dtype, scaled) == expected);
        CHECK(scale_by_power_of_two(format.dtype, scaled, -5));
        CHECK(decoded(format.dtype, scaled) == decoded(format.dtype, before));
        CHECK_FALSE(scale_by_power_of_two(format.dtype, scaled, 140));
    }
    Bytes largest = words({0x7BFF});
    CHECK_FALSE(scale_by_power_of_two(DType::f16, largest, 1));
    Bytes least = words({0x0001}); // subnormal: up is exact, down is not
    CHECK(scale_by_power_of_two(DType::f16, least, 3));
    CHECK(least == words({0x0008}));
    CHECK_FALSE(scale_by_power_of_two(DType::f16, least, -4));
}
