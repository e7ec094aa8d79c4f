// Numbers that tuning may choose on some device or other, forced on this one: shaders/lib/matvec.glsl must give right
// results with all of them. project_add stands for the kernels that read their input, head for those that compute it.
#include "tests/kernels/scene.h"
#include "runtime/reference/reference.h"

using namespace ff;
using namespace ff::test;

namespace {

constexpr std::uint32_t kRows = 77, kColumns = 132;

struct Forced {
    std::uint32_t local_size, lanes, rows, group_rows;
    bool staged;
};

// Sizes of a workgroup hold whole subgroups, whichever of the device's sizes runs.
std::vector<Forced> forced_constants(const gpu::DeviceTraits &traits, const kernels::Variant &variant) {
    std::vector<Forced> list;
    for (const Forced forced : {Forced{32, 4, 1, 5, true},
                                {64, 8, 2, 64, false},
                                {64, 16, 3, 7, true},
                                {128, 32, 4, 16, true},
                                {128, 128, 8, 130, false},
                                {256, 64, 6, 33, true}}) {
        if (forced.local_size > traits.max_workgroup_invocations || forced.local_size > traits.max_workgroup_size_x)
            continue;
        if (variant.needs_subgroup && forced.local_size % traits.subgroup_size_max != 0) continue;
        list.push_back(forced);
    }
    return list;
}

void force(kernels::Launch &launch, const Forced &forced) {
    force_constant(launch, shader::kSpecLocalSize, forced.local_size);
    force_constant(launch, shader::kSpecLanes, forced.lanes);
    force_constant(launch, shader::kSpecRows, forced.rows);
    force_constant(launch, shader::kSpecGroupRows, forced.group_rows);
    force_constant(launch, shader::kSpecStageFloats, forced.staged ? padded(kColumns) : 0);
    launch.groups[0] = (kRows + forced.group_rows - 1) / forced.group_rows;
}

} // namespace

TEST_CASE("project_add with any constants") {
    Random random(12);
    const auto values = random_matrix(random, kRows, kColumns);
    const auto y = random.vector(kColumns), x = random.vector(kRows);
    for (const kernels::Variant *variant : runnable_variants("project_add"))
        for (const Forced &forced : forced_constants(device()->traits(), *variant)) {
            CAPTURE(variant->name);
            CAPTURE(forced.local_size);
            CAPTURE(forced.rows);
            const kernels::WeightType type = weight_type(*variant);
            Scene scene({.scratch_floats = kRows + kColumns + 64, .weight_bytes = matrix_bytes(kRows, kColumns, type)});
            const auto matrix = put_matrix(scene.weights, "output.weight", values, kRows, kColumns, type);
            const auto input = scene.activation("y", y), residual = scene.activation("x", x);
            scene.scratch.may_change(residual.view);
            const kernels::Activation no_gate;
            auto launches = kernels::project_add(scene.step(), {variant, 0, &matrix, input, no_gate, residual});
            force(launches.front(), forced);
            scene.run(launches);
            CHECK_CLOSE(scene.floats(residual), reference::project_add(x, rounded(values, type), y, {}),
                        tolerance_of(*variant, 5e-6));
        }
}

TEST_CASE("head with any constants") {
    Random random(13);
    const auto values = random_matrix(random, kRows, kColumns);
    const auto x = random.vector(kColumns, 3, 1), weight = random.vector(kColumns), bias = random.vector(kColumns);
    for (const kernels::Variant *variant : runnable_variants("head"))
        for (const Forced &forced : forced_constants(device()->traits(), *variant)) {
            CAPTURE(variant->name);
            CAPTURE(forced.local_size);
            CAPTURE(forced.rows);
            const kernels::WeightType type = weight_type(*variant);
            Scene scene({.scratch_floats = kColumns + 64,
                         .weight_bytes = matrix_bytes(kRows, kColumns, type),
                         .parameter_floats = 2 * kColumns + 64});
            const auto matrix = put_matrix(scene.weights, "head.weight", values, kRows, kColumns, type);
            const auto input = scene.activation("x", x);
            const std::uint32_t norm_at = scene.parameters.put_together({weight, bias});
            GuardedMemory logits("logits", 4 * kRows + 512);
            const auto view = logits.put(std::vector<float>(kRows));
            logits.may_change(view);
            auto launches = kernels::head(scene.step(), {variant, &matrix, norm_at, input, view});
            force(launches.front(), forced);
            scene.run(launches, {&logits});
            CHECK_CLOSE(logits.floats(view), reference::head(rounded(values, type), x, weight, bias),
                        tolerance_of(*variant, 1e-5));
        }
}

// Every type of weights: what a lane loads of a row of blocks lies in several planes.
TEST_CASE("loads of all lanes together give the same bits") {
    constexpr std::uint32_t kMany = 512; // whole blocks of any format
    Random random(14);
    const auto values = random_matrix(random, kRows, kMany);
    const auto y = random.vector(kMany), x = random.vector(kRows);
    for (const kernels::Variant &variant : kernels::all_variants()) {
        if (variant.kernel != "project_add" || !variant.needs_subgroup || variant.needs_dot) continue;
        if (!kernels::runs_on(variant, device()->traits())) continue;
        CAPTURE(variant.name);
        const kernels::WeightType type = weight_type(variant);
        std::vector<std::uint32_t> own;
        for (const bool joined : {false, true}) {
            Scene scene({.scratch_floats = kRows + kMany + 64, .weight_bytes = matrix_bytes(kRows, kMany, type)});
            scene.traits.lane_loads_slow = false;
            if (joined && !join_lanes(scene)) return;
            const auto matrix = put_matrix(scene.weights, "output.weight", values, kRows, kMany, type);
            const auto input = scene.activation("y", y), residual = scene.activation("x", x);
            scene.scratch.may_change(residual.view);
            const kernels::Activation no_gate;
            auto launches = kernels::project_add(scene.step(), {&variant, 0, &matrix, input, no_gate, residual});
            CHECK(joins_lanes(launches.front()) == joined);
            force_constant(launches.front(), shader::kSpecRows, 4);
            force_constant(launches.front(), shader::kSpecGroupRows, 4);
            launches.front().groups[0] = (kRows + 3) / 4;
            scene.run(launches);
            CHECK_CLOSE(scene.floats(residual), reference::project_add(x, rounded(values, type), y, {}),
                        tolerance_of(variant, 5e-6));
            if (joined) CHECK(scene.words(residual) == own);
            own = scene.words(residual);
        }
    }
}
