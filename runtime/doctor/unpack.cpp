#include "runtime/doctor/unpack.h"

#include "runtime/reference/small_floats.h"

#include <cstring>

namespace ff::doctor {
namespace {

using kernels::WeightType;
using reference::from_bfloat16, reference::from_half;

// The quantiles of QLoRA (arXiv 2305.14314, appendix E).
constexpr float kNormalFloat[16] = {-1.0F,
                                    -0.6961928009986877F,
                                    -0.5250730514526367F,
                                    -0.39491748809814453F,
                                    -0.28444138169288635F,
                                    -0.18477343022823334F,
                                    -0.09105003625154495F,
                                    0.0F,
                                    0.07958029955625534F,
                                    0.16093020141124725F,
                                    0.24611230194568634F,
                                    0.33791524171829224F,
                                    0.44070982933044434F,
                                    0.5626170039176941F,
                                    0.7229568362236023F,
                                    1.0F};

class Row {
  public:
    explicit Row(std::span<const std::byte> bytes) : bytes_(bytes) {}
    unsigned byte(std::size_t at) const { return std::to_integer<unsigned>(bytes_[at]); }
    unsigned bits(std::size_t from, std::size_t bit, unsigned count) const { // from byte `from` on
        return byte(from + bit / 8) >> (bit % 8) & ((1U << count) - 1);
    }
    float half(std::size_t at) const { return from_half(static_cast<std::uint16_t>(byte(at) | byte(at + 1) << 8)); }
    template <class T>
    T get(std::size_t at) const {
        T value;
        std::memcpy(&value, bytes_.data() + at, sizeof value);
        return value;
    }

  private:
    std::span<const std::byte> bytes_;
};

std::size_t words(std::size_t bytes) {
    return (bytes + 3) / 4 * 4;
}

std::size_t sub_elements(WeightType type) {
    return type == WeightType::q6_k ? 16 : 32;
}

// Element `i` of `n`, with the scales of sub-block `sub` and block `block`; planes begin at these bytes.
float element(WeightType type, const Row &row, std::size_t i, std::size_t n, std::size_t sub, std::size_t block) {
    const std::size_t low = n / 2, high = n / 8, bits2 = n / 4; // bytes of a 4-, 1- and 2-bit plane
    const auto nibble = [&] { return static_cast<float>(row.bits(0, 4 * i, 4)); };
    const auto fifth = [&] { return 16.0F * static_cast<float>(row.bits(low, i, 1)); };
    switch (type) {
    case WeightType::f32:
        return row.get<float>(4 * i);
    case WeightType::f16:
        return row.half(2 * i);
    case WeightType::bf16:
        return from_bfloat16(row.get<std::uint16_t>(2 * i));
    case WeightType::q8_0:
        return row.half(n + block * 2) * static_cast<float>(row.get<std::int8_t>(i));
    case WeightType::q4_0:
        return row.half(low + block * 2) * (nibble() - 8);
    case WeightType::q4_1:
        return row.half(low + block * 4) * nibble() + row.half(low + block * 4 + 2);
    case WeightType::q5_0:
        return row.half(low + high + block * 2) * (nibble() + fifth() - 16);
    case WeightType::q5_1:
        return row.half(low + high + block * 4) * (nibble() + fifth()) + row.half(low + high + block * 4 + 2);
    case WeightType::q4_k:
    case WeightType::q5_k: {
        const std::size_t scales = type == WeightType::q5_k ? low + high : low, factors = scales + n / 32 * 2;
        const float q = nibble() + (type == WeightType::q5_k ? fifth() : 0.0F);
        return row.half(factors + block * 4) * static_cast<float>(row.byte(scales + sub * 2)) * q -
               row.half(factors + block * 4 + 2) * static_cast<float>(row.byte(scales + sub * 2 + 1));
    }
    case WeightType::q6_k: {
        const std::size_t scales = low + bits2;
        constexpr std::size_t kPlaces[8] = {2, 3, 6, 7, 0, 1, 4, 5}; // of a group's elements
        const float q = nibble() + 16.0F * static_cast<float>(row.bits(low, 2 * (i / 8 * 8 + kPlaces[i % 8]), 2));
        return row.half(scales + n / 16 + block * 2) * static_cast<float>(row.get<std::int8_t>(scales + sub)) *
               (q - 32);
    }
    case WeightType::nf4:
        return row.half(words(low) + block * 2) * kNormalFloat[row.bits(0, 4 * i, 4)];
    }
    return 0;
}

} // namespace

std::vector<float> unpack_row(WeightType type, std::span<const std::byte> row, std::uint32_t columns) {
    std::vector<float> values(columns);
    for (std::uint32_t i = 0; i < columns; ++i)
        values[i] = element(type, Row(row), i, columns, i / sub_elements(type), i / block_elements(type));
    return values;
}

std::vector<float> unpack_strips(WeightType type, std::span<const std::byte> strips, std::uint32_t outputs,
                                 std::uint32_t columns) {
    const std::size_t inputs = block_elements(type), padded = (outputs + 7) / 8 * 8, count = columns / inputs,
                      bytes = strips.size() / count;
    std::vector<float> values(std::size_t{outputs} * columns);
    for (std::size_t s = 0; s < count; ++s)
        for (std::size_t i = 0; i < inputs; ++i)
            for (std::size_t o = 0; o < outputs; ++o)
                values[o * columns + s * inputs + i] = element(type, Row(strips.subspan(s * bytes, bytes)), i * padded + o,
                                                               inputs * padded, i / sub_elements(type) * padded + o, o);
    return values;
}

} // namespace ff::doctor
