// Which shader a device gets: decided on traits alone, so no device is needed.
#include "runtime/kernels/kernel.h"

#include <doctest/doctest.h>

#include <set>

using namespace ff;
using kernels::WeightType;

namespace {

gpu::DeviceTraits desktop() {
    gpu::DeviceTraits traits;
    traits.subgroup_size = traits.subgroup_size_min = traits.subgroup_size_max = 32;
    traits.subgroup_basic = traits.subgroup_arithmetic = traits.subgroup_shuffle = true;
    traits.max_workgroup_invocations = traits.max_workgroup_size_x = 1024;
    return traits;
}

constexpr WeightType kTypes[] = {WeightType::f32, WeightType::f16, WeightType::bf16};
constexpr std::string_view kMatvecs[] = {"mix_project", "head", "project_add", "wkv4_project_add", "wkv7"};

} // namespace

TEST_CASE("with subgroup operations the subgroup variant is chosen") {
    for (const std::string_view kernel : kMatvecs)
        for (const WeightType type : kTypes)
            CHECK(kernels::variant_for(kernel, type, desktop()).name ==
                  std::string(kernels::name_of(type)) + "_subgroup");
    CHECK(kernels::variant_for("sample", desktop()).name == "subgroup");
}

TEST_CASE("without subgroup arithmetic, shuffle, or four lanes the floor variant is chosen") {
    gpu::DeviceTraits no_arithmetic = desktop(), no_shuffle = desktop(), narrow = desktop();
    no_arithmetic.subgroup_arithmetic = false;
    no_shuffle.subgroup_shuffle = false;
    narrow.subgroup_size_min = 2; // partial sums have no room for subgroups below 4
    for (const gpu::DeviceTraits &traits : {gpu::DeviceTraits{}, no_arithmetic, no_shuffle, narrow}) {
        for (const std::string_view kernel : kMatvecs)
            for (const WeightType type : kTypes)
                CHECK(kernels::variant_for(kernel, type, traits).name ==
                      std::string(kernels::name_of(type)) + "_floor");
        CHECK(kernels::variant_for("sample", traits).name == "floor");
    }
}

TEST_CASE("integer dot products are chosen where they are one instruction, for block formats") {
    gpu::DeviceTraits traits = desktop();
    traits.integer_dot_product = true;
    CHECK(kernels::variant_for("head", WeightType::q8_0, traits).name == "q8_0_subgroup");
    traits.integer_dot_accelerated = true;
    CHECK(kernels::variant_for("head", WeightType::q8_0, traits).name == "q8_0_dot");
    CHECK(kernels::variant_for("head", WeightType::nf4, traits).name == "nf4_subgroup");
    CHECK(kernels::variant_for("head", WeightType::f16, traits).name == "f16_subgroup");
    traits.subgroup_shuffle = false;
    CHECK(kernels::variant_for("head", WeightType::q8_0, traits).name == "q8_0_floor");
}

TEST_CASE("a denied variant makes way for another, and is refused where there is none") {
    gpu::DeviceTraits traits = desktop();
    traits.denied = {"head.f16_subgroup", "sample.subgroup", "embed.bf16", "wkv7.f32_floor", "wkv7.f32_subgroup", "no.such"};
    CHECK(kernels::variant_for("head", WeightType::f16, traits).name == "f16_floor");
    CHECK(kernels::variant_for("head", WeightType::bf16, traits).name == "bf16_subgroup");
    CHECK(kernels::variant_for("sample", traits).name == "floor");
    CHECK(kernels::variant_for("embed", WeightType::bf16, traits).name == "bf16_subgroup");
    CHECK(kernels::is_usable("head", WeightType::f16, traits));
    CHECK(!kernels::is_usable("wkv7", WeightType::f32, traits));
    kernels::Launch launch;
    launch.variant = &kernels::variant_for("wkv7", WeightType::f32, traits);
    const Result<void> refused = kernels::check_not_denied(std::span(&launch, 1), traits);
    REQUIRE(!refused.ok());
    CHECK(refused.error().status == Status::unsupported);
    CHECK(refused.error().message.find("wkv7.f32_subgroup") == 0);
    launch.variant = &kernels::variant_for("head", WeightType::f16, traits);
    CHECK(kernels::check_not_denied(std::span(&launch, 1), traits).ok());
}

TEST_CASE("why a variant is chosen") {
    const auto reason = [](const gpu::DeviceTraits &traits, std::string_view kernel) {
        return kernels::reason_for(kernels::variant_for(kernel, WeightType::f16, traits), traits);
    };
    gpu::DeviceTraits traits = desktop();
    CHECK(reason(traits, "head") == "subgroup arithmetic and shuffle, subgroups of 32");
    CHECK(reason(traits, "matmul") == "no cooperative matrices");
    CHECK(reason(traits, "embed") == "needs no feature");
    CHECK(reason(traits, "sparse_value") == "needs no feature"); // its other variant only helps where loads by lane are slow
    traits.denied = {"head.f16_subgroup", "embed.f16"};
    CHECK(reason(traits, "head") == "head.f16_subgroup is ruled out");
    CHECK(reason(traits, "embed") == "subgroup arithmetic and shuffle, subgroups of 32");
    traits = desktop();
    traits.subgroup_size_min = 2;
    CHECK(reason(traits, "head") == "subgroups of 2, 4 are needed");
    traits.subgroup_shuffle = false;
    CHECK(reason(traits, "head") == "no subgroup shuffle");
}

TEST_CASE("candidates are what a device may come to run") {
    const auto on_desktop = kernels::candidates(desktop()), on_floor = kernels::candidates(gpu::DeviceTraits{});
    CHECK(on_desktop.size() > on_floor.size());
    for (const kernels::Variant *variant : on_floor) CHECK(!variant->needs_subgroup);
    for (const kernels::Variant *variant : on_desktop) CHECK(!variant->needs_coopmat);
}

TEST_CASE("every kernel has a row that needs nothing, and every row its SPIR-V") {
    std::set<std::string_view> kernels_seen, served;
    std::set<std::string> names;
    for (const kernels::Variant &variant : kernels::all_variants()) {
        CAPTURE(kernels::full_name(variant));
        kernels_seen.insert(variant.kernel);
        if (kernels::runs_on(variant, gpu::DeviceTraits{})) served.insert(variant.kernel);
        CHECK(names.insert(kernels::full_name(variant)).second);
        REQUIRE(variant.spirv.size() > 5);
        CHECK(variant.spirv[0] == 0x07230203);
        CHECK(variant.spirv[1] == 0x00010300); // SPIR-V 1.3: Vulkan 1.1 without extensions
    }
    kernels_seen.erase("roofline_matrix"); // measured only where there are matrices
    CHECK(kernels_seen == served);
}

TEST_CASE("a weight type's name does not find another's rows") { // f16 is a part of bf16
    CHECK(kernels::variant_for("head", WeightType::f16, gpu::DeviceTraits{}).name == "f16_floor");
    CHECK(kernels::variant_for("head", WeightType::bf16, gpu::DeviceTraits{}).name == "bf16_floor");
    CHECK(kernels::variant_for("embed", WeightType::bf16, gpu::DeviceTraits{}).name == "bf16");
}
