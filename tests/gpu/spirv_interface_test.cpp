#include "runtime/gpu/spirv_interface.h"
#include "tests/gpu/shaders.h"

#include <doctest/doctest.h>

#include <random>

using namespace ff;
using namespace ff::gpu;
using namespace ff::gpu::testing;

TEST_CASE("a shader's interface is read from its words") {
    const auto add = read_spirv_interface(add_shader());
    REQUIRE(add.ok());
    CHECK(add->entry_point == "main");
    CHECK(add->push_constant_bytes == 8);
    CHECK(add->bindings == std::vector<std::uint32_t>{0, 1, 2});
    CHECK(add->constant_ids == std::vector<std::uint32_t>{0, 7});
    CHECK(add->local_size[0].specialised);
    CHECK(add->local_size[0].constant_id == 0);
    CHECK(add->local_size[1] == SpirvInterface::Axis{});
    CHECK(add->capabilities == std::vector<std::uint32_t>{1}); // Shader

    const auto scale = read_spirv_interface(scale_shader());
    REQUIRE(scale.ok());
    CHECK(scale->push_constant_bytes == 0);
    CHECK(scale->bindings == std::vector<std::uint32_t>{0});
    CHECK(scale->constant_ids.empty());
    CHECK(scale->local_size[0].size == 32);
    CHECK_FALSE(scale->local_size[0].specialised);
}

TEST_CASE("a shader cut anywhere is refused or read, never overrun") {
    for (const auto whole : {add_shader(), scale_shader()}) {
        for (std::size_t count = 0; count < whole.size(); ++count) {
            const std::vector<std::uint32_t> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(count));
            const auto read = read_spirv_interface(cut);
            if (!read.ok()) CHECK(read.error().status == Status::internal);
            if (count < 20) CHECK_FALSE(read.ok());
        }
    }
}

TEST_CASE("damaged shaders do no harm") {
    std::mt19937 random(7);
    for (const auto whole : {add_shader(), scale_shader()})
        for (int round = 0; round < 20'000; ++round) {
            std::vector<std::uint32_t> words(whole.begin(), whole.end());
            for (unsigned changes = 1 + random() % 4; changes > 0; --changes) {
                std::uint32_t &word = words[5 + random() % (words.size() - 5)];
                switch (random() % 4) {
                case 0:
                    word = static_cast<std::uint32_t>(random());
                    break;
                case 1:
                    word ^= 1U << (random() % 32);
                    break;
                case 2:
                    word = static_cast<std::uint32_t>(random() % 64);
                    break;
                default:
                    word = (word & 0xffffU) | static_cast<std::uint32_t>(random() % 8) << 16U;
                    break;
                }
            }
            static_cast<void>(read_spirv_interface(words));
        }
}

TEST_CASE("noise is refused") {
    std::mt19937 random(8);
    CHECK_FALSE(read_spirv_interface({}).ok());
    for (int round = 0; round < 2000; ++round) {
        std::vector<std::uint32_t> words(1 + random() % 200);
        for (std::uint32_t &word : words) word = static_cast<std::uint32_t>(random());
        CHECK_FALSE(read_spirv_interface(words).ok());
    }
    // A type that contains itself.
    const std::vector<std::uint32_t> endless{
        0x07230203,    0x10300, 0, 10,         0, // header
        5U << 16 | 15, 5,       1, 0x6e69616d, 0, // OpEntryPoint GLCompute %1 "main"
        4U << 16 | 72, 2,       0, 35,            // short OpMemberDecorate
        5U << 16 | 72, 2,       0, 35,         0, // %2 member 0 at 0
        3U << 16 | 30, 2,       2,                // %2 = struct { %2 }
        4U << 16 | 32, 3,       9, 2,             // %3 = pointer to %2, push constant
        4U << 16 | 59, 3,       4, 9,             // %4 = variable
        5U << 16 | 54, 5,       6, 0,          7};
    const auto read = read_spirv_interface(endless);
    REQUIRE_FALSE(read.ok());
    CHECK(read.error().message == "damaged SPIR-V: types nested too deeply");
}
