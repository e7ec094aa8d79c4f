#include "loader/checked.h"
#include "loader/quant/formats.h"

#include <cassert>

namespace ff::loader {

std::string_view name_of(DType dtype) {
    return format_of(dtype).name;
}

std::uint64_t block_elements(DType dtype) {
    return format_of(dtype).elements;
}

std::uint64_t block_bytes(DType dtype) {
    return format_of(dtype).bytes;
}

std::uint64_t bytes_per_element(DType dtype) {
    assert(block_elements(dtype) == 1);
    return block_bytes(dtype);
}

std::uint64_t TensorInfo::elements() const {
    return checked_product(shape).value_or(UINT64_MAX);
}

std::uint64_t TensorInfo::row_bytes() const {
    const std::uint64_t columns = shape.empty() ? 1 : shape.back();
    if (columns % block_elements(dtype) != 0) return UINT64_MAX;
    return checked_multiply(columns / block_elements(dtype), block_bytes(dtype)).value_or(UINT64_MAX);
}

std::uint64_t TensorInfo::bytes() const {
    const std::uint64_t row = row_bytes();
    if (elements() == 0) return 0;
    if (row == UINT64_MAX) return UINT64_MAX;
    const auto rows = shape.empty() ? 1 : checked_product(std::span(shape).first(shape.size() - 1));
    if (!rows) return UINT64_MAX;
    return checked_multiply(*rows, row).value_or(UINT64_MAX);
}

void to_float32(DType dtype, std::span<const std::byte> stored, std::span<float> out) {
    assert(stored.size() / block_bytes(dtype) * block_elements(dtype) == out.size());
    decode(dtype, stored, out); // whatever the caller got wrong, nothing outside the two spans is touched
}

} // namespace ff::loader
