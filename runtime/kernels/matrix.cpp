#include "runtime/kernels/matrix.h"

#include "shaders/lib/interface.h"

#include <algorithm>

namespace ff::kernels {

std::vector<MatrixPart> bindable_parts(const Matrix &matrix, const gpu::DeviceTraits &traits, std::uint64_t most_bytes) {
    // Each cut starts a binding, so it must fall on the offset alignment: whole multiples of `step` rows do.
    std::uint32_t step = matrix.row_step();
    while (step * matrix.row_bytes() % traits.storage_offset_alignment != 0) step *= 2;
    const std::uint64_t most = std::min<std::uint64_t>(traits.max_storage_buffer_range, most_bytes);
    const std::uint64_t fitting = most / matrix.row_bytes() / step * step;
    const std::uint32_t countable = matrix.by_input ? shader::kMostSparseInputs / block_elements(matrix.type) : 0xffffffffU;
    const auto most_rows = static_cast<std::uint32_t>(std::clamp<std::uint64_t>(fitting, step, countable));
    std::vector<MatrixPart> cut;
    for (const MatrixPart &part : matrix.parts)
        for (std::uint32_t row = 0; row < part.rows; row += std::min(most_rows, part.rows - row)) {
            const std::uint32_t rows = std::min(most_rows, part.rows - row);
            cut.push_back(
                {part.view.slice(row * matrix.row_bytes(), rows * matrix.row_bytes()), part.first_row + row, rows});
        }
    return cut;
}

std::vector<SegmentLaunch> pack_segments(std::span<const Matrix *const> matrices, const gpu::DeviceTraits &traits) {
    std::vector<SegmentLaunch> launches;
    for (std::size_t s = 0; s < matrices.size(); ++s)
        for (const MatrixPart &part : bindable_parts(*matrices[s], traits)) {
            if (!launches.empty()) {
                SegmentLaunch &last = launches.back();
                const bool follows = last.binding.buffer == part.view.buffer && part.view.offset >= last.binding.offset;
                const std::uint64_t offset = part.view.offset - last.binding.offset;
                const std::uint64_t end = std::max(last.binding.bytes, offset + part.view.bytes);
                // A place inside the binding is counted in units of 16 bytes.
                if (follows && offset % 16 == 0 && end <= traits.max_storage_buffer_range) {
                    last.binding.bytes = end;
                    last.parts.push_back({s, part.first_row, part.rows, offset});
                    continue;
                }
            }
            launches.push_back({part.view, {{s, part.first_row, part.rows, 0}}});
        }
    return launches;
}

} // namespace ff::kernels
