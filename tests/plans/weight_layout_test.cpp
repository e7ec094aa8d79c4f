// Packing a row for the device changes the order of its bits and nothing else.
#include "loader/quant/formats.h"
#include "tests/support/numbers.h"
#include "tests/support/random.h"
#include "runtime/doctor/unpack.h"

#include <doctest/doctest.h>

using namespace ff;
using namespace ff::test;

TEST_CASE("weight layout: a packed row holds the values of its blocks") {
    for (const loader::Format &format : loader::formats()) {
        const auto type = static_cast<kernels::WeightType>(format.dtype);
        CAPTURE(format.name);
        CHECK(kernels::name_of(type) == format.name);
        CHECK(kernels::block_elements(type) == format.elements);
        if (!kernels::is_block(type)) continue;
        for (const std::uint32_t blocks : {1U, 2U, 3U, 7U}) {
            const std::uint32_t columns = blocks * format.elements;
            CAPTURE(columns);
            const std::vector<float> values = Random(columns).vector(columns, 0.7, 0.1);
            std::vector<std::byte> stored(std::size_t{blocks} * format.bytes);
            loader::encode(format.dtype, values, stored);
            std::vector<float> want(columns);
            loader::decode(format.dtype, stored, want);
            std::vector<std::byte> row(kernels::row_bytes(type, columns));
            CHECK(row.size() % 16 == 0);
            kernels::pack_row(type, stored, columns, row);
            CHECK_CLOSE(doctor::unpack_row(type, row, columns), want, 1e-6);
        }
    }
}

TEST_CASE("weight layout: packed strips hold the values of their rows") {
    for (const loader::Format &format : loader::formats()) {
        const auto type = static_cast<kernels::WeightType>(format.dtype);
        CAPTURE(format.name);
        for (const std::uint32_t outputs : {1U, 8U, 77U}) {
            CAPTURE(outputs);
            const std::uint32_t count = kernels::is_block(type) ? 3 : 70, columns = count * format.elements;
            const std::vector<float> values = Random(outputs).vector(std::size_t{outputs} * columns, 0.7, 0.1);
            std::vector<std::byte> stored(std::size_t{outputs} * count * format.bytes);
            loader::encode(format.dtype, values, stored);
            std::vector<float> want(values.size());
            loader::decode(format.dtype, stored, want);
            const std::uint64_t bytes = kernels::strip_bytes(type, outputs);
            CHECK(bytes % 16 == 0);
            // In two pieces, as an upload asks for them.
            std::vector<std::byte> strips(count * bytes, std::byte{0xff});
            const std::span<std::byte> all(strips);
            kernels::pack_strips(type, stored, outputs, columns, 0, all.first(bytes));
            kernels::pack_strips(type, stored, outputs, columns, 1, all.subspan(bytes));
            CHECK_CLOSE(doctor::unpack_strips(type, strips, outputs, columns), want, 1e-6);
        }
    }
}
