// What a launch's bindings hold, read on the host.
#pragma once

#include "runtime/doctor/unpack.h"
#include "runtime/kernels/kernel.h"
#include "runtime/reference/reference.h"

#include <algorithm>
#include <cstring>

namespace ff::doctor {

using Numbers = std::vector<float>;

// The bytes of each of a launch's buffers.
struct Bindings {
    std::span<const gpu::BufferView> views;
    std::span<const std::span<const std::byte>> bytes; // one for each view
};
// Thrown where a place lies outside its binding, and caught by expectations(): a device that goes wrong leaves counts that lead
// anywhere, and nothing may be allocated or walked by them.
struct OutsideBinding {};

class Bound {
  public:
    Bound(const Bindings &bindings, std::size_t index)
        : view_(bindings.views[index]), bytes_(bindings.bytes[index]) {}

    Numbers floats(std::size_t first, std::size_t count) const {
        if (count == 0) return {};
        check_end(4 * (first + count));
        Numbers out(count);
        std::memcpy(out.data(), bytes_.data() + 4 * first, 4 * count);
        return out;
    }
    Numbers at(std::uint32_t at16, std::size_t count) const { return floats(std::size_t{4} * at16, count); }
    std::uint32_t word(std::size_t index) const {
        check_end(4 * (index + 1));
        std::uint32_t word = 0;
        std::memcpy(&word, bytes_.data() + 4 * index, 4);
        return word;
    }
    template <class Block>
    Block block(std::size_t byte) const { // a structure of interface.h
        check_end(byte + sizeof(Block));
        Block block{};
        std::memcpy(&block, bytes_.data() + byte, sizeof block);
        return block;
    }
    // Rows [rows, columns] of weights that start `at16` units into the range.
    Numbers matrix(kernels::WeightType type, std::size_t at16, std::size_t rows, std::uint32_t columns) const {
        const std::size_t row = kernels::row_bytes(type, columns);
        check_end(16 * at16 + rows * row);
        Numbers out(rows * columns);
        for (std::size_t r = 0; r < rows; ++r) {
            const Numbers values = unpack_row(type, bytes_.subspan(16 * at16 + r * row, row), columns);
            std::copy(values.begin(), values.end(), out.begin() + static_cast<std::ptrdiff_t>(r * columns));
        }
        return out;
    }
    // The whole range as strips of a matrix [outputs, inputs] kept by input.
    Numbers strips(kernels::WeightType type, std::uint32_t outputs, std::uint32_t inputs) const {
        const std::uint64_t bytes = inputs / kernels::block_elements(type) * kernels::strip_bytes(type, outputs);
        check_end(bytes);
        return unpack_strips(type, bytes_.first(bytes), outputs, inputs);
    }
    gpu::BufferView view(std::size_t first_word, std::size_t count) const {
        check_end(4 * (first_word + count));
        return view_.slice(4 * first_word, 4 * count);
    }

  private:
    void check_end(std::size_t end) const {
        if (end > bytes_.size()) throw OutsideBinding{};
    }
    gpu::BufferView view_;
    std::span<const std::byte> bytes_;
};

inline std::uint32_t constant(const kernels::Launch &launch, std::uint32_t id) { // 0: not given
    for (const gpu::SpecConstant &found : launch.constants)
        if (found.id == id) return found.value;
    return 0;
}

inline kernels::WeightType weight_type(const kernels::Launch &launch) {
    return kernels::weight_type_of(*launch.variant).value_or(kernels::WeightType::f32);
}

// Of a matrix beside others in a launch, which may be a plain one in a launch of a block format.
kernels::WeightType segment_type(const kernels::Launch &launch, bool plain);

// A [H, value, key] state of the device as [H, key, value], and back.
reference::Vector turned_state(const reference::Vector &state, std::size_t heads, std::size_t size);

} // namespace ff::doctor
