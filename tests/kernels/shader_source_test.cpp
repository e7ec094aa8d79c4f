// Shaders compiled from a folder at run time.
#include "runtime/kernels/shader_source.h"

#include <algorithm>
#include <doctest/doctest.h>

using namespace ff;

TEST_CASE("a kernel is compiled from the folder's source, its includes and its definitions") {
    const auto variants = kernels::all_variants();
    for (const char *kernel : {"embed", "sample"}) {
        CAPTURE(kernel);
        const auto variant = std::ranges::find(variants, kernel, &kernels::Variant::kernel);
        REQUIRE(variant != variants.end());
        const auto spirv = kernels::compile_shader(FIREFINCH_SOURCE_DIR "/shaders", *variant);
        REQUIRE_MESSAGE(spirv.ok(), spirv.error().message);
        CHECK(spirv->front() == variant->spirv.front()); // SPIR-V's magic number
    }
}

TEST_CASE("a folder without the kernel is named") {
    const auto missing = kernels::compile_shader("/no such folder", kernels::all_variants().front());
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error().status == Status::io);
    CHECK(missing.error().message.find("/no such folder") != std::string::npos);
}
