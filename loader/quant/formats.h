// How weights are stored: one table that describes every type, from float32 to four-bit blocks. A row of a matrix is a
// whole number of blocks; a block is read and written by itself. Block layouts are in blocks.h.
#pragma once

#include "loader/tensor_source.h"

#include <optional>

namespace ff::loader {

struct Format {
    DType dtype;
    std::string_view name;  // as in "--weights NAME", and what name_of answers
    std::uint32_t elements; // of a block; 1 for plain floats
    std::uint32_t bytes;    // of a block
    void (*decode)(const std::byte *blocks, std::size_t count, float *values);
    void (*encode)(const float *values, std::size_t count, std::byte *blocks); // count of blocks
    // Where a block's 16-bit float factors are, of which its values are sums of products: scaling a block by a power
    // of two is scaling them. Offsets in bytes, or -1.
    int factor, second_factor;
};

std::span<const Format> formats(); // in the order of DType
const Format &format_of(DType dtype);
std::optional<DType> dtype_named(std::string_view name);

// Whole blocks only: values.size() is stored.size() / bytes * elements. Anything beyond is not touched.
void decode(DType dtype, std::span<const std::byte> stored, std::span<float> values);
// The values should be finite and below 65504; whatever they are, the result is some block. Encoding is deterministic
// and searches the scales that keep the squared error, weighted towards large values, small.
void encode(DType dtype, std::span<const float> values, std::span<std::byte> stored);

// Multiplies by 2^exponent in place, exactly: bits are lost nowhere. False, with `stored` partly changed, if a value or
// factor leaves its type's range.
bool scale_by_power_of_two(DType dtype, std::span<std::byte> stored, int exponent);

} // namespace ff::loader
