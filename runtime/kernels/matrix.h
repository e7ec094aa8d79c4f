// A matrix on the device: rows of whole groups (8 elements, zero padded), or strips, in one or more parts that can each be
// bound.
#pragma once

#include "runtime/kernels/kernel.h"

namespace ff::kernels {

struct MatrixPart {
    gpu::BufferView view;
    std::uint32_t first_row = 0, rows = 0; // as they are stored: strips of a matrix kept by input
};

struct Matrix {
    std::string name; // of its tensor in the checkpoint
    WeightType type = WeightType::f32;
    std::uint32_t rows = 0, columns = 0;
    std::vector<MatrixPart> parts; // in row order
    bool by_input = false;         // kept in strips (weight_layout.h)

    std::uint32_t groups() const { return (columns + 7) / 8; }
    std::uint32_t stored_rows() const { return by_input ? columns / block_elements(type) : rows; }
    std::uint64_t row_bytes() const { return by_input ? strip_bytes(type, rows) : kernels::row_bytes(type, columns); }
    // Parts start at multiples of so many rows: inputs are taken 32 at a time.
    std::uint32_t row_step() const { return by_input && !is_block(type) ? 32 : 1; }
};

// The parts of a matrix, cut further so that none is larger than the device's binding range, nor than `most_bytes`.
std::vector<MatrixPart> bindable_parts(const Matrix &matrix, const gpu::DeviceTraits &traits,
                                       std::uint64_t most_bytes = ~std::uint64_t{0});

// A run of rows of one matrix inside a launch that binds several matrices at once.
struct SegmentPart {
    std::size_t segment; // which of the matrices
    std::uint32_t first_row, rows;
    std::uint64_t offset; // bytes from the start of the launch's binding
};
struct SegmentLaunch {
    gpu::BufferView binding;
    std::vector<SegmentPart> parts;
};
// Puts matrices of one type and width into as few launches as the binding range allows: matrices that are neighbours in
// one buffer share a launch, a matrix larger than the range is cut by rows. Pure: tested without a device.
std::vector<SegmentLaunch> pack_segments(std::span<const Matrix *const> matrices, const gpu::DeviceTraits &traits);

} // namespace ff::kernels
