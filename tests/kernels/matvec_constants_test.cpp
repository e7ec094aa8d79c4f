// Numbers that tuning may choose on some device or other, forced on this one: shaders/lib/matvec.glsl must give right
// results with all of them. project_add stands for the kernels that read their input, head for those that compute it.
#include "runtime/kernels/tuning.h"
#include "tests/kernels/scene.h"
#include "runtime/reference/reference.h"

#include <functional>

using namespace ff;
using namespace ff::test;

namespace {

constexpr std::uint32_t kRows = 77, kColumns = 132;

struct Forced {
    std::uint32_t local_size, lanes, rows, group_rows;
    bool staged;
    std::uint32_t unroll;
};

// Sizes of a workgroup hold whole subgroups, whichever of the device's sizes runs.
std::vector<Forced> forced_constants(const gpu::DeviceTraits &traits, const kernels::Variant &variant) {
    std::vector<Forced> list;
    for (const Forced forced : {Forced{32, 4, 1, 5, true, 2},
                                {64, 8, 2, 64, false, 4},
                                {64, 16, 3, 7, true, 1},
                                {128, 32, 4, 16, true, 2},
                                {128, 128, 8, 130, false, 1},
                                {256, 64, 6, 33, true, 4}}) {
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
    if (forced.unroll != 1) launch.constants.push_back({shader::kSpecUnroll, forced.unroll});
    launch.groups[0] = (kRows + forced.group_rows - 1) / forced.group_rows;
}

// Block formats, with what the tuner may choose for them: one of the candidates for each variant, another for the next, so that
// all of them run with subgroups, with integer dot products and without.
constexpr std::uint32_t kBlockColumns = 512;

void for_each_tuned_block_variant(std::string_view kernel,
                                  const std::function<void(const kernels::Variant &, const gpu::DeviceTraits &)> &test) {
    std::size_t next = 0;
    for (const kernels::Variant *variant : block_variants(kernel)) {
        if (variant->needs_address) continue; // a workgroup is a subgroup there
        gpu::DeviceTraits traits = device()->traits();
        const auto table = kernels::tune_matvec(traits, *variant, kRows, kBlockColumns / 8, kernel == "head");
        const auto &candidates = table.origin.tunable->candidates;
        const auto &values = candidates[(next + next / candidates.size()) % candidates.size()];
        ++next;
        traits.tuned = {{table.origin.tunable->key, values}};
        CAPTURE(variant->name);
        CAPTURE(values[0]);
        CAPTURE(values[1]);
        CAPTURE(values[2]);
        CAPTURE(values[3]);
        test(*variant, traits);
    }
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
            CAPTURE(forced.unroll);
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

TEST_CASE("project_add of block formats with any constants that may be measured") {
    Random random(15);
    const auto values = random_matrix(random, kRows, kBlockColumns);
    const auto y = random.vector(kBlockColumns), x = random.vector(kRows);
    for_each_tuned_block_variant("project_add", [&](const kernels::Variant &variant, const gpu::DeviceTraits &traits) {
        const kernels::WeightType type = weight_type(variant);
        Scene scene({.scratch_floats = kRows + kBlockColumns + 64, .weight_bytes = matrix_bytes(kRows, kBlockColumns, type)});
        scene.traits = traits;
        const auto matrix = put_matrix(scene.weights, "output.weight", values, kRows, kBlockColumns, type);
        const auto input = scene.activation("y", y), residual = scene.activation("x", x);
        scene.scratch.may_change(residual.view);
        const kernels::Activation no_gate;
        const auto launches = kernels::project_add(scene.step(), {&variant, 0, &matrix, input, no_gate, residual});
        CHECK(launches.front().tuning.measured);
        scene.run(launches);
        CHECK_CLOSE(scene.floats(residual), reference::project_add(x, rounded(values, type), y, {}), tolerance_of(variant, 5e-6));
    });
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
            CAPTURE(forced.unroll);
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

TEST_CASE("head of block formats with any constants that may be measured") {
    Random random(16);
    const auto values = random_matrix(random, kRows, kBlockColumns);
    const auto x = random.vector(kBlockColumns, 3, 1), weight = random.vector(kBlockColumns), bias = random.vector(kBlockColumns);
    for_each_tuned_block_variant("head", [&](const kernels::Variant &variant, const gpu::DeviceTraits &traits) {
        const kernels::WeightType type = weight_type(variant);
        Scene scene({.scratch_floats = kBlockColumns + 64,
                     .weight_bytes = matrix_bytes(kRows, kBlockColumns, type),
                     .parameter_floats = 2 * kBlockColumns + 64});
        scene.traits = traits;
        const auto matrix = put_matrix(scene.weights, "head.weight", values, kRows, kBlockColumns, type);
        const auto input = scene.activation("x", x);
        const std::uint32_t norm_at = scene.parameters.put_together({weight, bias});
        GuardedMemory logits("logits", 4 * kRows + 512);
        const auto view = logits.put(std::vector<float>(kRows));
        logits.may_change(view);
        const auto launches = kernels::head(scene.step(), {&variant, &matrix, norm_at, input, view});
        CHECK(launches.front().tuning.measured);
        scene.run(launches, {&logits});
        CHECK_CLOSE(logits.floats(view), reference::head(rounded(values, type), x, weight, bias), tolerance_of(variant, 1e-5));
    });
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
