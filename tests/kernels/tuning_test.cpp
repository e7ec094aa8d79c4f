// The numbers that tuning chooses, over a grid of devices and shapes: none may break a limit. No device is needed.
#include "runtime/kernels/tuning.h"

#include "runtime/gpu/captured_devices.h"
#include "shaders/lib/interface.h"

#include <doctest/doctest.h>

#include <functional>

using namespace ff;

namespace {

void for_each_device(const std::function<void(const gpu::DeviceTraits &)> &test) {
    for (const std::uint32_t subgroup : {1U, 4U, 8U, 16U, 32U, 64U, 128U})
        for (const std::uint32_t invocations : {128U, 256U, 384U, 512U, 1024U})
            for (const std::uint32_t shared : {16384U, 32768U, 49152U, 65536U}) {
                gpu::DeviceTraits traits;
                traits.subgroup_size = traits.subgroup_size_min = traits.subgroup_size_max = subgroup;
                traits.subgroup_arithmetic = traits.subgroup_shuffle = subgroup >= 4;
                traits.max_workgroup_invocations = traits.max_workgroup_size_x = invocations;
                traits.max_shared_memory_bytes = shared;
                CAPTURE(subgroup);
                CAPTURE(invocations);
                CAPTURE(shared);
                test(traits);
            }
}

bool power_of_two(std::uint32_t x) {
    return x != 0 && (x & (x - 1)) == 0;
}

// shaders/lib/reduce.glsl: what its sums take of shared memory.
std::uint64_t reduction_bytes(const kernels::Variant &variant, std::uint32_t local_size) {
    return std::uint64_t{16} * (variant.needs_subgroup ? local_size / 4 + 1 : local_size);
}

std::vector<std::uint32_t> values_of(const kernels::MatvecTuning &tuning) {
    return {tuning.local_size, tuning.rows, tuning.unroll, tuning.neighbours};
}

void check_matvec(const gpu::DeviceTraits &traits, const kernels::Variant &variant, std::uint32_t rows,
                  std::uint32_t width, bool prologue) {
    CAPTURE(kernels::full_name(variant));
    CAPTURE(rows);
    CAPTURE(width);
    CAPTURE(prologue);
    const std::uint32_t groups = (width + 7) / 8;
    const kernels::MatvecTuning tuning = kernels::tune_matvec(traits, variant, rows, groups, prologue);
    CHECK(tuning.local_size >= 1);
    CHECK(tuning.local_size <= traits.max_workgroup_invocations);
    CHECK(tuning.local_size <= traits.max_workgroup_size_x);
    if (variant.needs_subgroup) CHECK(tuning.local_size % traits.subgroup_size == 0); // no lane of a team is missing
    CHECK(power_of_two(tuning.lanes)); // floor variants fold a team in halves
    CHECK(tuning.local_size % tuning.lanes == 0);
    CHECK(tuning.rows >= 1);
    CHECK(tuning.group_rows >= 1);
    CHECK((rows + tuning.group_rows - 1) / tuning.group_rows <= traits.max_workgroup_count_x);
    CHECK(groups % tuning.neighbours == 0);
    if (tuning.uniform_lanes != 0) CHECK(tuning.unroll * tuning.neighbours == 1);
    const bool staging_is_whole = tuning.stage_floats == 0 || tuning.stage_floats == 8 * groups;
    CHECK(staging_is_whole);
    const std::uint64_t staged = tuning.stage_floats == 0 ? 16 : std::uint64_t{4} * tuning.stage_floats;
    CHECK(staged + reduction_bytes(variant, tuning.local_size) <= traits.max_shared_memory_bytes);
}

} // namespace

TEST_CASE("matvec tuning stays within every device's limits") {
    for_each_device([](const gpu::DeviceTraits &traits) {
        for (const kernels::Variant &variant : kernels::all_variants()) {
            if (variant.kernel != "mix_project" || !kernels::runs_on(variant, traits)) continue;
            for (const std::uint32_t rows : {1U, 3U, 77U, 768U, 9000U, 65536U, 5'000'000U})
                for (const std::uint32_t width : {4U, 77U, 768U, 2048U, 4096U, 16384U})
                    for (const bool prologue : {true, false}) check_matvec(traits, variant, rows, width, prologue);
        }
    });
}

TEST_CASE("measured values are used where the table allows them, and stay within every device's limits") {
    for_each_device([](const gpu::DeviceTraits &traits) {
        for (const kernels::Variant &variant : kernels::all_variants()) {
            if (kernels::full_name(variant).rfind("head.f16_", 0) != 0 || !kernels::runs_on(variant, traits)) continue;
            for (const std::uint32_t width : {77U, 2048U}) {
                const std::uint32_t groups = (width + 7) / 8;
                const kernels::MatvecTuning table = kernels::tune_matvec(traits, variant, 9000, groups, true);
                CHECK(!table.origin.measured);
                CHECK(table.origin.tunable->candidates.front() == values_of(table));
                gpu::DeviceTraits tuned = traits;
                for (const std::vector<std::uint32_t> &values : table.origin.tunable->candidates) {
                    tuned.tuned = {{table.origin.tunable->key, values}};
                    const kernels::MatvecTuning other = kernels::tune_matvec(tuned, variant, 9000, groups, true);
                    CHECK(other.origin.measured);
                    CHECK(values_of(other) == values);
                    check_matvec(tuned, variant, 9000, width, true);
                }
                // Another shape's, and what no candidate is, from a file that anyone may have written.
                for (const gpu::DeviceTraits::Tuned &foreign :
                     {gpu::DeviceTraits::Tuned{"head.f16_subgroup, 1 x 8, staged", {64, 2, 1, 1}},
                      gpu::DeviceTraits::Tuned{table.origin.tunable->key, {7, 3, 1, 1}},
                      gpu::DeviceTraits::Tuned{table.origin.tunable->key, {65536, 4, 1, 1}},
                      gpu::DeviceTraits::Tuned{table.origin.tunable->key, {}}}) {
                    tuned.tuned = {foreign};
                    const kernels::MatvecTuning other = kernels::tune_matvec(tuned, variant, 9000, groups, true);
                    CHECK(!other.origin.measured);
                    CHECK(other.local_size == table.local_size);
                    CHECK(other.rows == table.rows);
                }
            }
        }
    });
}

TEST_CASE("every tile that may be measured is covered by its workgroup") {
    for_each_device([](gpu::DeviceTraits traits) {
        for (const std::string driver : {"radv", "llvmpipe"}) {
            traits.driver = driver;
            const kernels::Variant &variant = kernels::variant_for("matmul", kernels::WeightType::q4_k, traits);
            for (const std::uint32_t tokens : {9U, 32U, 33U, 128U}) {
                const auto candidates = kernels::tune_matmul(traits, variant, tokens).origin.tunable->candidates;
                CHECK(candidates.size() > 1);
                for (const std::vector<std::uint32_t> &values : candidates) {
                    gpu::DeviceTraits tuned = traits;
                    tuned.tuned = {{kernels::tune_matmul(traits, variant, tokens).origin.tunable->key, values}};
                    const kernels::MatmulTuning tuning = kernels::tune_matmul(tuned, variant, tokens);
                    CHECK(tuning.origin.measured);
                    CHECK(tuning.local_size >= 16);
                    CHECK(tuning.local_size <= traits.max_workgroup_invocations);
                    CHECK(tuning.local_size * 16 * tuning.thread_rows * tuning.thread_tokens ==
                          tuning.tile_rows * tuning.tile_tokens);
                }
            }
        }
    });
}

TEST_CASE("teams of rows are counted by the subgroup size that runs") {
    for (const gpu::CapturedDevice &device : gpu::captured_devices()) {
        const gpu::DeviceTraits &traits = device.info.traits;
        const kernels::Variant &variant = kernels::variant_for("project_add", kernels::WeightType::f16, traits);
        if (!variant.needs_subgroup) continue;
        CAPTURE(device.profile);
        const kernels::MatvecTuning tuning = kernels::tune_matvec(traits, variant, 1024, 128, false);
        const std::uint32_t size = tuning.subgroup_size ? tuning.subgroup_size : traits.subgroup_size;
        if (traits.subgroup_size_min != traits.subgroup_size_max) { // several may run: one is asked for
            CHECK(tuning.subgroup_size >= traits.subgroup_size_min);
            CHECK(tuning.subgroup_size <= traits.subgroup_size_max);
        }
        CHECK(tuning.local_size % size == 0);
        // None goes through the motions on another's row.
        CHECK(tuning.group_rows % (tuning.local_size / size * tuning.rows) == 0);
    }
}

TEST_CASE("integer dot products are chosen where they are known or estimated to pay") {
    gpu::DeviceTraits traits;
    traits.integer_dot_product = traits.integer_dot_accelerated = traits.subgroup_arithmetic = traits.subgroup_shuffle = true;
    traits.subgroup_size = traits.subgroup_size_min = traits.subgroup_size_max = 32;
    const auto chosen = [&](std::string_view kernel) {
        return kernels::variant_for(kernel, kernels::WeightType::q4_0, traits).needs_dot;
    };
    constexpr std::uint32_t kAmd = 0x1002, kNvidia = 0x10DE, kIntel = 0x8086, kArm = 0x13B5;
    traits.vendor_id = kArm;
    CHECK(chosen("head"));
    CHECK(chosen("project"));
    traits.vendor_id = kAmd;
    CHECK(chosen("head"));
    CHECK(chosen("project_add"));
    CHECK_FALSE(chosen("project"));
    traits.vendor_id = kNvidia;
    CHECK_FALSE(chosen("head"));
    CHECK_FALSE(chosen("project"));
    traits.vendor_id = kIntel;
    CHECK(chosen("head"));
    CHECK_FALSE(chosen("project_add"));
    traits.integer_dot_accelerated = false;
    CHECK_FALSE(chosen("head"));
}

TEST_CASE("a prompt is read in steps as long as the device gains by") {
    gpu::DeviceTraits discrete;
    discrete.most_submission_work = 1ULL << 38;
    CHECK(kernels::most_prompt_rows(discrete) == shader::kMostRows);
    gpu::DeviceTraits integrated = discrete;
    integrated.unified_memory = true;
    CHECK(kernels::most_prompt_rows(integrated) == 256);
    gpu::DeviceTraits mobile = integrated;
    mobile.most_submission_work = 1ULL << 32;
    CHECK(kernels::most_prompt_rows(mobile) == 128);
    gpu::DeviceTraits software = discrete;
    software.driver = "llvmpipe";
    CHECK(kernels::most_prompt_rows(software) == 128);
}

TEST_CASE("the input is staged where it fits, and recomputed where not") {
    const kernels::Variant &variant =
        kernels::variant_for("mix_project", kernels::WeightType::f16, gpu::DeviceTraits{});
    const gpu::DeviceTraits floor; // 16 KiB
    CHECK(kernels::tune_matvec(floor, variant, 2048, 2048 / 8, true).stage_floats == 2048);
    CHECK(kernels::tune_matvec(floor, variant, 4096, 4096 / 8, true).stage_floats == 0);
    CHECK(kernels::tune_matvec(floor, variant, 2048, 2048 / 8, false).stage_floats == 0);
    gpu::DeviceTraits more = floor;
    more.max_shared_memory_bytes = 32768;
    CHECK(kernels::tune_matvec(more, variant, 4096, 4096 / 8, true).stage_floats == 4096);
}

TEST_CASE("wkv7 tuning stays within every device's limits, or says that it cannot") {
    for_each_device([](const gpu::DeviceTraits &traits) {
        for (const std::uint32_t head_size : {4U, 8U, 12U, 16U, 32U, 64U, 96U, 128U, 256U, 512U, 2048U}) {
            CAPTURE(head_size);
            const auto tuning = kernels::tune_wkv(traits, head_size);
            if (!tuning.ok()) {
                CHECK(tuning.error().status == Status::unsupported);
                CHECK(tuning.error().message.find(std::to_string(head_size)) != std::string::npos);
                CHECK(head_size > 64); // what released models have runs everywhere
                continue;
            }
            CHECK(tuning->local_size == head_size * tuning->lanes);
            CHECK(tuning->local_size <= traits.max_workgroup_invocations);
            CHECK(tuning->local_size <= traits.max_workgroup_size_x);
            CHECK(head_size % (4 * tuning->lanes) == 0);
            // Five vectors of a head, and the sums of the floor variant, which take most.
            CHECK(std::uint64_t{20} * head_size + 16ULL * tuning->local_size <= traits.max_shared_memory_bytes);
        }
    });
    CHECK_FALSE(kernels::tune_wkv(gpu::DeviceTraits{}, 6).ok());
}

TEST_CASE("a head of 64 takes four lanes a row where there are 256 invocations") { // the rig's advice: 16 floats a lane
    gpu::DeviceTraits traits;
    CHECK(kernels::tune_wkv(traits, 64)->lanes == 2);
    traits.max_workgroup_invocations = traits.max_workgroup_size_x = 256;
    CHECK(kernels::tune_wkv(traits, 64)->lanes == 4);
}

TEST_CASE("kernels of one workgroup fit every device") {
    for_each_device([](const gpu::DeviceTraits &traits) {
        const std::uint32_t size = kernels::single_workgroup_size(traits);
        CHECK(size >= 1);
        CHECK(size <= traits.max_workgroup_invocations);
        // sample.comp: two tables of 256 words and eight words more.
        CHECK(std::uint64_t{16} * size + 2048 + 32 <= traits.max_shared_memory_bytes);
    });
}

namespace {

gpu::DeviceTraits with_matrices(std::uint32_t subgroup_size_min, std::vector<gpu::MatrixShape> shapes) {
    gpu::DeviceTraits traits;
    traits.float16 = traits.subgroup_size_control = true;
    traits.subgroup_size = traits.subgroup_size_max = 64;
    traits.subgroup_size_min = subgroup_size_min;
    traits.max_workgroup_invocations = traits.max_workgroup_size_x = 1024;
    traits.max_shared_memory_bytes = 32768;
    traits.matrix_shapes = std::move(shapes);
    return traits;
}

} // namespace

TEST_CASE("cooperative matrices: of what drivers list, the largest shape that tiles are made of") { // Mesa 26.2
    struct Device {
        std::uint32_t subgroup;
        std::vector<gpu::MatrixShape> listed;
        gpu::MatrixShape taken;
    };
    for (const Device &device : {Device{32, {{16, 16, 16}}, {16, 16, 16}},                           // RADV, RDNA 3 and 4
                                 Device{32, {{16, 16, 16}, {16, 8, 16}, {16, 8, 8}}, {16, 16, 16}},  // NVIDIA
                                 Device{32, {{16, 8, 8}, {16, 8, 16}, {64, 64, 16}}, {16, 8, 16}},   // 64 rows do not fit
                                 Device{16, {{8, 16, 16}}, {8, 16, 16}},                             // ANV, Xe2
                                 Device{8, {{8, 8, 8}}, {8, 8, 8}}}) {                               // lavapipe
        const auto tuning = kernels::tune_coopmat(with_matrices(device.subgroup, device.listed), 64);
        REQUIRE(tuning.has_value());
        CHECK(tuning->matrix == device.taken);
        CHECK(tuning->subgroup_size == device.subgroup);
    }
}

TEST_CASE("cooperative matrices: no limit is broken, and what one tile has the other has") {
    for (const std::uint32_t subgroup : {1U, 4U, 8U, 16U, 32U, 64U, 128U})
        for (const gpu::MatrixShape shape : {gpu::MatrixShape{8, 8, 8}, {16, 16, 16}, {8, 16, 16}, {32, 32, 8}, {16, 16, 64}})
            for (const std::uint32_t invocations : {128U, 256U, 1024U})
                for (const std::uint32_t shared : {16384U, 32768U}) {
                    gpu::DeviceTraits traits = with_matrices(subgroup, {shape});
                    traits.max_workgroup_invocations = traits.max_workgroup_size_x = invocations;
                    traits.max_shared_memory_bytes = shared;
                    const auto wide = kernels::tune_coopmat(traits, 64), narrow = kernels::tune_coopmat(traits, 9);
                    if (!wide) continue;
                    REQUIRE(narrow.has_value());
                    CHECK(shared > 16384); // two parts of two tiles are 20 KiB
                    for (const kernels::CoopmatTuning &tuning : {*wide, *narrow}) {
                        CHECK(tuning.matrix == shape);
                        CHECK(tuning.local_size <= invocations);
                        CHECK(tuning.local_size % subgroup == 0);
                        CHECK(tuning.subgroup_rows % shape.rows == 0);
                        CHECK(tuning.subgroup_tokens % shape.columns == 0);
                        CHECK(32 % shape.depth == 0);
                        CHECK(tuning.local_size / subgroup * tuning.subgroup_rows * tuning.subgroup_tokens ==
                              tuning.tile_rows * tuning.tile_tokens);
                    }
                }
}

TEST_CASE("cooperative matrices are chosen where they are listed and not slow") {
    using kernels::WeightType;
    const auto name = [](const gpu::DeviceTraits &traits, WeightType type) {
        return kernels::variant_for("matmul", type, traits).name;
    };
    const gpu::DeviceTraits able = with_matrices(32, {{16, 16, 16}});
    CHECK(name(able, WeightType::f16) == "f16_coopmat");
    CHECK(name(able, WeightType::q4_k) == "q4_k_coopmat");
    CHECK(name(able, WeightType::f32) == "f32"); // they would take bits of these weights away
    gpu::DeviceTraits slow = able, fixed_subgroups = able, no_shapes = able, no_float16 = able, floor = able;
    slow.matrices_slow = true;
    fixed_subgroups.subgroup_size_control = false;
    no_shapes.matrix_shapes.clear();
    no_float16.float16 = false;
    gpu::find_profile("floor")->mask(floor);
    gpu::DeviceTraits one_size = fixed_subgroups;
    one_size.subgroup_size_fixed = true;
    CHECK(name(one_size, WeightType::f16) == "f16_coopmat");
    for (const gpu::DeviceTraits &traits : {slow, fixed_subgroups, no_shapes, no_float16, floor})
        CHECK(name(traits, WeightType::f16) == "f16");
    const kernels::Variant &variant = kernels::variant_for("matmul", WeightType::f16, able);
    CHECK(kernels::runs_on(variant, slow)); // for tests and doctor
    CHECK_FALSE(kernels::runs_on(variant, floor));
    gpu::find_profile("matrices")->mask(slow);
    CHECK(name(slow, WeightType::f16) == "f16_coopmat");
}

TEST_CASE("constants carry the ids that the shaders read") {
    const auto constants =
        kernels::constants_of({.local_size = 1, .lanes = 2, .rows = 3, .group_rows = 4, .stage_floats = 5});
    const std::vector<gpu::SpecConstant> want = {{shader::kSpecLocalSize, 1},
                                                 {shader::kSpecLanes, 2},
                                                 {shader::kSpecRows, 3},
                                                 {shader::kSpecGroupRows, 4},
                                                 {shader::kSpecStageFloats, 5}};
    CHECK(constants == want);
}
