// What would run on every device whose traits were captured, without Vulkan: no chosen variant may need what a device lacks.
#include "loader/synthetic_source.h"
#include "runtime/gpu/captured_devices.h"
#include "runtime/gpu/spirv_interface.h"
#include "runtime/kernels/tuning.h"
#include "runtime/model/choices.h"
#include "shaders/lib/interface.h"
#include "tests/drivers/shapes.h"
#include "tests/drivers/spirv_needs.h"
#include "tests/support/gpu_fixture.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

using namespace ff;
using namespace ff::test;

namespace {

std::uint32_t constant(const kernels::Launch &launch, std::uint32_t id, std::uint32_t otherwise) {
    for (const gpu::SpecConstant &each : launch.constants)
        if (each.id == id) return each.value;
    return otherwise;
}

struct Needs {
    SpirvNeeds module;
    std::uint32_t local_size = 0;
};

// Read once for each pipeline: devices share them.
const Needs &needs_of(const kernels::Launch &launch) {
    static std::map<std::pair<const kernels::Variant *, std::vector<std::pair<std::uint32_t, std::uint32_t>>>, Needs> all;
    std::vector<std::pair<std::uint32_t, std::uint32_t>> values;
    for (const gpu::SpecConstant &each : launch.constants) values.emplace_back(each.id, each.value);
    const auto [found, is_new] = all.try_emplace({launch.variant, values});
    if (is_new) {
        found->second.module = spirv_needs(launch.variant->spirv, launch.constants);
        const gpu::SpirvInterface interface = must(gpu::read_spirv_interface(launch.variant->spirv));
        found->second.local_size = 1;
        for (const gpu::SpirvInterface::Axis &axis : interface.local_size)
            found->second.local_size *= axis.specialised ? constant(launch, axis.constant_id, axis.size) : axis.size;
    }
    return found->second;
}

void check_launch(const kernels::Launch &launch, const gpu::DeviceTraits &traits) {
    const Needs &needs = needs_of(launch);
    const std::uint32_t local_size = needs.local_size;
    CAPTURE(kernels::full_name(*launch.variant));
    CHECK(missing_capability(needs.module, traits) == "");
    CHECK(needs.module.shared_bytes <= traits.max_shared_memory_bytes);
    CHECK(local_size <= traits.max_workgroup_invocations);
    CHECK(local_size <= traits.max_workgroup_size_x);
    CHECK(launch.groups[0] <= traits.max_workgroup_count_x);
    CHECK(launch.groups[1] <= 65535);
    CHECK(launch.groups[2] <= 65535);
    CHECK(launch.push_constants.size() <= traits.max_push_constant_bytes);
    CHECK(launch.buffers.size() <= traits.max_storage_buffers);
    for (const gpu::BufferView &view : launch.buffers) {
        CHECK(view.bytes <= traits.max_storage_buffer_range);
        CHECK(view.offset % traits.storage_offset_alignment == 0);
    }
    if (launch.variant->needs_subgroup) {
        CHECK(traits.subgroup_size_min >= 4);
        CHECK(local_size % traits.subgroup_size_min == 0);
    }
    if (launch.subgroup_size != 0) {
        CHECK(traits.subgroup_size_control);
        CHECK(launch.subgroup_size >= traits.subgroup_size_min);
        CHECK(launch.subgroup_size <= traits.subgroup_size_max);
        CHECK(local_size % launch.subgroup_size == 0); // full subgroups are asked for
    }
    if (launch.variant->needs_coopmat) {
        const gpu::MatrixShape shape{constant(launch, shader::kSpecMatrixRows, 0),
                                     constant(launch, shader::kSpecMatrixTokens, 0),
                                     constant(launch, shader::kSpecMatrixDepth, 0)};
        CHECK(std::ranges::find(traits.matrix_shapes, shape) != traits.matrix_shapes.end());
        CHECK_FALSE(traits.matrices_slow);
        CHECK((launch.subgroup_size != 0 || traits.subgroup_size_fixed));
    }
}

} // namespace

TEST_CASE("captured devices: no chosen variant needs what the device lacks") {
    std::map<std::string_view, std::set<const kernels::Variant *>> seen; // by driver
    for (const loader::Version version : kVersions)
        for (const std::uint32_t width : {768U, 4096U}) {
            const auto source = must(loader::synthetic_source(two_layers(version, width), loader::DType::f16));
            for (const loader::DType weights : kWeights) {
                // Widths matter to the tuning of every type alike.
                if (width != 768 && weights != loader::DType::f16 && weights != loader::DType::q4_k) continue;
                for (const gpu::CapturedDevice &device : gpu::captured_devices()) {
                    CAPTURE(loader::label_of(version));
                    CAPTURE(width);
                    CAPTURE(loader::name_of(weights));
                    CAPTURE(device.profile);
                    const auto launches = model::chosen_launches(device.info, *source, {.type = weights});
                    REQUIRE_MESSAGE(launches.ok(), (launches.ok() ? "" : launches.error().message));
                    CHECK(launches->size() > 10);
                    for (const kernels::Launch &launch : launches.value()) {
                        check_launch(launch, device.info.traits);
                        seen[device.info.traits.driver].insert(launch.variant);
                    }
                }
            }
        }
    CHECK(seen.size() >= 8); // drivers
}

TEST_CASE("choosing is a function of traits: masked to themselves, devices choose the same") {
    const auto source = must(loader::synthetic_source(two_layers(loader::Version::v7_0, 768), loader::DType::f16));
    for (const gpu::CapturedDevice &device : gpu::captured_devices()) {
        CAPTURE(device.profile);
        gpu::DeviceInfo masked = device.info;
        gpu::mask_to(masked.traits, device.info.traits);
        const auto once = must(model::chosen_launches(device.info, *source, {}));
        const auto again = must(model::chosen_launches(masked, *source, {}));
        REQUIRE(once.size() == again.size());
        for (std::size_t i = 0; i < once.size(); ++i) {
            CHECK(once[i].variant == again[i].variant);
            CHECK(once[i].constants == again[i].constants);
            CHECK(once[i].subgroup_size == again[i].subgroup_size);
            CHECK(once[i].groups == again[i].groups);
        }
    }
}

TEST_CASE("what a device must not run, another does not run as it either") {
    gpu::DeviceTraits traits = gpu::find_captured_device("radv-renoir")->info.traits;
    CHECK(kernels::variant_for("wide_wkv7", traits).name == "subgroup");
    CHECK(kernels::variant_for("project_add", kernels::WeightType::f16, traits).name == "f16_subgroup");
    gpu::DeviceTraits mali = traits, adreno = traits, llvmpipe = traits;
    gpu::find_profile("mali-g310")->mask(mali);
    CHECK(kernels::variant_for("wide_wkv7", mali).name == "floor");
    CHECK(kernels::variant_for("project_add", kernels::WeightType::f16, mali).name == "f16_subgroup");
    gpu::find_profile("adreno")->mask(adreno);
    CHECK(kernels::variant_for("project_add", kernels::WeightType::f16, adreno).name == "f16_floor");
    gpu::find_profile("sid-lavapipe-256")->mask(llvmpipe);
    CHECK(kernels::variant_for("project_add", kernels::WeightType::f16, llvmpipe).name == "f16_address");
}

TEST_CASE("a shader that needs more than a device has is noticed") {
    gpu::DeviceTraits poor;
    const kernels::Variant *subgroup = nullptr;
    for (const kernels::Variant &variant : kernels::all_variants())
        if (variant.needs_subgroup) subgroup = &variant;
    REQUIRE(subgroup != nullptr);
    CHECK(missing_capability(spirv_needs(subgroup->spirv, {}), poor) != "");
    // A tile's shared memory grows with its constants.
    const kernels::Variant &matmul = kernels::variant_for("matmul", kernels::WeightType::f16, poor);
    auto constants = kernels::constants_of(kernels::tune_matmul(poor, matmul, 128));
    const std::uint64_t ordinary = spirv_needs(matmul.spirv, constants).shared_bytes;
    CHECK(ordinary == 16384);
    for (gpu::SpecConstant &constant : constants)
        if (constant.id == shader::kSpecTileRows) constant.value *= 2;
    CHECK(spirv_needs(matmul.spirv, constants).shared_bytes == 24576);
}
