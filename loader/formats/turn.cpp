#include "loader/formats/turn.h"

#include <cstring>

namespace ff::loader {

std::vector<std::byte> turned(const TensorInfo &stored, std::span<const std::byte> bytes) {
    std::vector<float> widened;
    std::size_t size = static_cast<std::size_t>(block_bytes(stored.dtype));
    if (block_elements(stored.dtype) != 1) {
        widened.resize(static_cast<std::size_t>(stored.elements()));
        to_float32(stored.dtype, bytes, widened);
        bytes = std::as_bytes(std::span(widened));
        size = sizeof(float);
    }
    const auto columns = static_cast<std::size_t>(stored.shape.back());
    const std::size_t rows = stored.shape.size() < 2 ? 1 : static_cast<std::size_t>(stored.shape.end()[-2]);
    std::vector<std::byte> out(bytes.size());
    for (std::size_t matrix = 0; matrix < bytes.size(); matrix += rows * columns * size)
        for (std::size_t row = 0; row < rows; ++row)
            for (std::size_t column = 0; column < columns; ++column)
                std::memcpy(out.data() + matrix + (column * rows + row) * size,
                            bytes.data() + matrix + (row * columns + column) * size, size);
    return out;
}

} // namespace ff::loader
