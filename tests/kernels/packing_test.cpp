// How matrices become bindings: pure functions of sizes and limits, so no device is needed.
#include "runtime/kernels/matrix.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstring>

using namespace ff;
using kernels::Matrix;
using kernels::WeightType;

namespace {

VkBuffer buffer(std::uint64_t number) {
    VkBuffer handle{};
    std::memcpy(&handle, &number, std::min(sizeof handle, sizeof number));
    return handle;
}

Matrix matrix(std::uint64_t in_buffer, std::uint64_t offset, std::uint32_t rows, std::uint32_t columns,
              WeightType type) {
    Matrix made{"m", type, rows, columns, {}};
    made.parts = {{{buffer(in_buffer), offset, rows * made.row_bytes(), nullptr}, 0, rows}};
    return made;
}

gpu::DeviceTraits limited(std::uint64_t range, std::uint32_t alignment) {
    gpu::DeviceTraits traits;
    traits.max_storage_buffer_range = range;
    traits.storage_offset_alignment = alignment;
    return traits;
}

std::vector<kernels::SegmentLaunch> pack(const std::vector<Matrix> &matrices, const gpu::DeviceTraits &traits) {
    std::vector<const Matrix *> pointers;
    for (const Matrix &each : matrices) pointers.push_back(&each);
    return kernels::pack_segments(pointers, traits);
}

// Each row of each matrix is in exactly one launch, in order, where its weights are, and no binding breaks a limit.
void check_packing(const std::vector<Matrix> &matrices, const gpu::DeviceTraits &traits) {
    std::vector<std::uint32_t> next(matrices.size(), 0);
    for (const kernels::SegmentLaunch &launch : pack(matrices, traits)) {
        CHECK(launch.binding.bytes <= traits.max_storage_buffer_range);
        CHECK(launch.binding.offset % traits.storage_offset_alignment == 0);
        for (const kernels::SegmentPart &part : launch.parts) {
            const Matrix &from = matrices[part.segment];
            CHECK(part.first_row == next[part.segment]);
            next[part.segment] += part.rows;
            CHECK(part.rows > 0);
            CHECK(from.parts[0].view.buffer == launch.binding.buffer);
            CHECK(launch.binding.offset + part.offset == from.parts[0].view.offset + part.first_row * from.row_bytes());
            CHECK(part.offset + part.rows * from.row_bytes() <= launch.binding.bytes);
            CHECK(part.offset % 16 == 0); // places are counted in units of 16 bytes
        }
    }
    for (std::size_t i = 0; i < matrices.size(); ++i) CHECK(next[i] == matrices[i].rows);
}

} // namespace

TEST_CASE("rows are padded to whole groups") {
    CHECK(matrix(1, 0, 1, 1, WeightType::f32).row_bytes() == 32);
    CHECK(matrix(1, 0, 1, 8, WeightType::f16).row_bytes() == 16);
    CHECK(matrix(1, 0, 1, 77, WeightType::bf16).row_bytes() == 160);
}

TEST_CASE("a matrix that fits is one part") {
    const Matrix whole = matrix(1, 512, 77, 129, WeightType::f16);
    const auto parts = kernels::bindable_parts(whole, limited(1 << 20, 256));
    REQUIRE(parts.size() == 1);
    CHECK(parts[0].rows == 77);
    CHECK(parts[0].view.offset == 512);
    CHECK(parts[0].view.bytes == 77 * whole.row_bytes());
}

TEST_CASE("a matrix beyond the binding range is cut at rows that are aligned") {
    for (const WeightType type : {WeightType::f32, WeightType::f16, WeightType::bf16})
        for (const std::uint32_t rows : {1U, 3U, 77U, 130U, 769U})
            for (const std::uint32_t columns : {4U, 77U, 129U, 769U})
                for (const std::uint32_t alignment : {16U, 64U, 256U})
                    for (const std::uint64_t range : {32768ULL, 65536ULL, 100000ULL}) {
                        CAPTURE(rows);
                        CAPTURE(columns);
                        CAPTURE(alignment);
                        CAPTURE(range);
                        const Matrix whole = matrix(1, 256, rows, columns, type);
                        const auto parts = kernels::bindable_parts(whole, limited(range, alignment));
                        std::uint32_t next = 0;
                        for (const kernels::MatrixPart &part : parts) {
                            CHECK(part.first_row == next);
                            CHECK(part.view.bytes == part.rows * whole.row_bytes());
                            CHECK(part.view.bytes <= range);
                            CHECK(part.view.offset == 256 + part.first_row * whole.row_bytes());
                            CHECK(part.view.offset % alignment == 0);
                            next += part.rows;
                        }
                        CHECK(next == rows);
                    }
}

TEST_CASE("the head of a 65,536-word vocabulary is split where a binding covers 128 MiB") {
    const Matrix head = matrix(1, 0, 65536, 2048, WeightType::f16);
    CHECK(kernels::bindable_parts(head, limited(1ULL << 27, 256)).size() == 2);
    CHECK(kernels::bindable_parts(head, limited(1ULL << 32, 256)).size() == 1);
}

TEST_CASE("neighbours in one buffer share a launch") {
    const std::vector<Matrix> three = {matrix(1, 0, 77, 128, WeightType::f16),
                                       matrix(1, 19712, 3, 128, WeightType::f16),
                                       matrix(1, 20480, 130, 128, WeightType::f16)};
    check_packing(three, limited(1 << 20, 256));
    CHECK(pack(three, limited(1 << 20, 256)).size() == 1);
    CHECK(pack(three, limited(32768, 256)).size() == 3); // the last alone is 33,280 bytes
    check_packing(three, limited(32768, 256));
}

TEST_CASE("matrices of different buffers are launches of their own") {
    const std::vector<Matrix> two = {matrix(1, 0, 77, 128, WeightType::f16), matrix(2, 19712, 3, 128, WeightType::f16)};
    check_packing(two, limited(1 << 20, 256));
    CHECK(pack(two, limited(1 << 20, 256)).size() == 2);
}

TEST_CASE("matrices need not come in the order of their memory") {
    const std::vector<Matrix> shuffled = {
        matrix(1, 4096, 3, 128, WeightType::f16), matrix(1, 32768, 77, 128, WeightType::f16),
        matrix(1, 8192, 3, 128, WeightType::f16), matrix(1, 0, 3, 128, WeightType::f16)};
    check_packing(shuffled, limited(1 << 20, 256));
}

TEST_CASE("a neighbour that does not start at a whole group from the first gets a binding of its own") {
    // Offsets may be multiples of 16 only, a group of float32 weights is 32 bytes.
    const std::vector<Matrix> two = {matrix(1, 0, 3, 8, WeightType::f32), matrix(1, 112, 3, 8, WeightType::f32)};
    check_packing(two, limited(1 << 20, 16));
}
