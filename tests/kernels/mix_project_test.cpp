#include "tests/kernels/scene.h"
#include "runtime/reference/reference.h"

using namespace ff;
using namespace ff::test;

namespace {

constexpr double kTolerance = 1e-5;
constexpr kernels::ActivationKind kKinds[] = {kernels::ActivationKind::none, kernels::ActivationKind::relu_squared,
                                              kernels::ActivationKind::sigmoid, kernels::ActivationKind::tanh};
constexpr reference::Activation kReferences[] = {reference::Activation::none, reference::Activation::relu_squared,
                                                 reference::Activation::sigmoid, reference::Activation::tanh};

struct Shape {
    std::uint32_t width;
    std::vector<std::uint32_t> rows; // of each segment; its activation is the next of kKinds
    std::uint32_t parity, slot;
};

struct Case {
    Scene scene;
    SlotState kept; // two copies a slot
    std::vector<kernels::Matrix> matrices;
    std::vector<kernels::MixSegment> segments;
    kernels::Activation x;
    std::uint32_t norm_at;
    std::vector<reference::Vector> want;
    reference::Vector want_kept;
};

// Segments from `beside` on are float32.
Case make_case(const Shape &shape, kernels::WeightType type, std::size_t beside = ~std::size_t{0}) {
    const auto type_of = [&](std::size_t segment) { return segment < beside ? type : kernels::WeightType::f32; };
    Random random(31);
    const std::uint32_t width = shape.width, copy = padded(width);
    SlotState kept;
    kept.floats = 2 * copy + 24;
    SceneSize size{.scratch_floats = width,
                   .state_floats = std::uint64_t{kept.slots} * kept.floats,
                   .parameter_floats = 2 * width};
    for (std::size_t s = 0; s < shape.rows.size(); ++s) {
        size.scratch_floats += shape.rows[s];
        size.weight_bytes += matrix_bytes(shape.rows[s], width, type_of(s));
        size.parameter_floats += width + 32ULL;
    }
    Case made{Scene(size), kept, {}, {}, {}, 0, {}, {}};
    Scene &scene = made.scene;

    const auto x = random.vector(width, 2, 0.5), weight = random.vector(width, 0.3, 1),
               bias = random.vector(width, 0.3);
    made.x = scene.activation("x", x);
    made.norm_at = scene.parameters.put_together({weight, bias});
    made.want_kept = reference::layer_norm(reference::widen(x), weight, bias);

    std::vector<float> state = random.vector(std::size_t{kept.slots} * kept.floats);
    const std::size_t old_at = shape.slot * kept.floats + kept.offset + shape.parity * copy;
    for (std::size_t i = width; i < copy; ++i) state[old_at + i] = 0; // vectors end in zeros
    const std::vector<float> old(state.begin() + static_cast<std::ptrdiff_t>(old_at),
                                 state.begin() + static_cast<std::ptrdiff_t>(old_at + width));
    made.kept.view = scene.state.put(state);

    for (std::size_t s = 0; s < shape.rows.size(); ++s) {
        const auto values = random_matrix(random, shape.rows[s], width);
        std::vector<float> mix(width);
        for (float &value : mix) value = static_cast<float>(random.uniform());
        made.matrices.push_back(
            put_matrix(scene.weights, "matrix" + std::to_string(s), values, shape.rows[s], width, type_of(s)));
        made.segments.push_back({nullptr, scene.parameters.put(mix), kKinds[s % 4],
                                 scene.output("out" + std::to_string(s), shape.rows[s])});
        made.want.push_back(reference::mix_project(
            rounded(values, type_of(s)), reference::token_shift(made.want_kept, old, mix), kReferences[s % 4]));
    }
    scene.set_header({.parity = shape.parity, .slot = shape.slot});
    return made;
}

std::vector<kernels::Launch> launches_of(Case &made, const kernels::Variant *variant) {
    for (std::size_t s = 0; s < made.segments.size(); ++s) made.segments[s].matrix = &made.matrices[s];
    return must(kernels::mix_project(made.scene.step(), {variant,
                                                         2,
                                                         made.x,
                                                         made.norm_at,
                                                         "ln1",
                                                         {"state.2", made.kept.view, made.kept.slot_bytes()},
                                                         std::uint64_t{4} * made.kept.offset,
                                                         "att_x",
                                                         made.segments}));
}

gpu::BufferView new_copy(const Case &made, const Shape &shape) {
    const std::uint32_t copy = padded(shape.width);
    return made.kept.part(shape.slot, (1 - shape.parity) * copy, copy);
}

void check(const Case &made, const Shape &shape, const kernels::Variant &variant) {
    for (std::size_t s = 0; s < made.segments.size(); ++s) {
        CAPTURE(s);
        CHECK_CLOSE(made.scene.floats(made.segments[s].result), made.want[s], tolerance_of(variant, kTolerance));
    }
    std::vector<float> kept = made.scene.state.floats(new_copy(made, shape));
    for (std::size_t i = shape.width; i < kept.size(); ++i) CHECK(kept[i] == 0.0F);
    kept.resize(shape.width);
    CHECK_CLOSE(kept, made.want_kept, kTolerance);
}

const Shape kShapes[] = {{4, {1}, 0, 0},
                         {77, {3, 77, 1, 130}, 1, 2},
                         {129, {130, 5}, 0, 1},
                         {769, {77, 3, 130, 1, 9}, 1, 0},
                         {129, {1, 32}, 1, 1}};

} // namespace

TEST_CASE("mix_project") {
    for (const kernels::Variant *variant : runnable_variants("mix_project"))
        for (const Shape &shape : kShapes)
            for (const bool staged : {true, false}) {
                if (!staged && shape.width > 129) continue; // slow, and nothing new
                CAPTURE(variant->name);
                CAPTURE(shape.width);
                CAPTURE(staged);
                Case made = make_case(shape, weight_type(*variant));
                made.scene.state.may_change(new_copy(made, shape));
                if (!staged) made.scene.traits.max_shared_memory_bytes = 256; // too little for the input
                const auto launches = launches_of(made, variant);
                CHECK(launches.size() == 1);
                CHECK((launches[0].constants.back().value != 0) == staged);
                made.scene.run(launches);
                check(made, shape, *variant);
            }
}

TEST_CASE("mix_project: float32 beside 16 bits is one launch, and so with the loads of all lanes together") {
    for (const kernels::Variant *variant : runnable_variants("mix_project")) {
        const kernels::WeightType type = weight_type(*variant);
        if (type != kernels::WeightType::f16 && type != kernels::WeightType::bf16) continue;
        for (const Shape &shape : {Shape{129, {77, 5, 130}, 0, 1}, Shape{256, {77, 33, 5}, 1, 0}})
            for (const bool joined : {false, true}) {
                CAPTURE(variant->name);
                CAPTURE(shape.width);
                CAPTURE(joined);
                Case made = make_case(shape, type, 1);
                made.scene.traits.lane_loads_slow = false;
                if (joined && (!variant->needs_subgroup || !join_lanes(made.scene))) continue;
                if (!joined && variant->needs_address) continue;
                made.scene.state.may_change(new_copy(made, shape));
                const auto launches = launches_of(made, variant);
                REQUIRE(launches.size() == 1);
                CHECK(joins_lanes(launches[0]) == (joined && shape.width == 256));
                CHECK(launches[0].variant == variant);
                made.scene.run(launches);
                check(made, shape, *variant);
            }
    }
}

TEST_CASE("mix_project by address, with the loads of all lanes together") { // of 16 bits: above
    const Shape shape{256, {77, 33, 5}, 1, 0};
    for (const kernels::Variant *variant : address_variants("mix_project")) {
        CAPTURE(variant->name);
        const kernels::WeightType type = weight_type(*variant);
        if (type == kernels::WeightType::f16 || type == kernels::WeightType::bf16) continue;
        Case made = make_case(shape, type);
        if (!join_lanes(made.scene)) return;
        made.scene.state.may_change(new_copy(made, shape));
        const auto launches = launches_of(made, variant);
        REQUIRE(launches.size() == 1);
        REQUIRE(joins_lanes(launches.front()));
        made.scene.run(launches);
        check(made, shape, *variant);
    }
}

TEST_CASE("mix_project leaves everything as it is when no token is read") {
    for (const kernels::Variant *variant : runnable_variants("mix_project")) {
        CAPTURE(variant->name);
        Case made = make_case(kShapes[1], weight_type(*variant));
        made.scene.scratch.nothing_may_change();
        made.scene.set_header({.run = 0, .parity = 1, .slot = 2});
        made.scene.run(launches_of(made, variant));
    }
}

TEST_CASE("mix_project split by rows gives the same bits") {
    const Shape shape{129, {130, 5, 77}, 1, 2};
    for (const kernels::Variant *variant : runnable_variants("mix_project")) {
        CAPTURE(variant->name);
        Case made = make_case(shape, weight_type(*variant));
        made.scene.state.may_change(new_copy(made, shape));
        made.scene.run(launches_of(made, variant));
        check(made, shape, *variant);
        std::vector<std::vector<std::uint32_t>> whole;
        for (const auto &segment : made.segments) whole.push_back(made.scene.words(segment.result));

        made.scene.traits.max_storage_buffer_range = 64 * made.matrices[0].row_bytes();
        const auto launches = launches_of(made, variant);
        CHECK(launches.size() >= 3);
        made.scene.run(launches);
        check(made, shape, *variant);
        for (std::size_t s = 0; s < whole.size(); ++s) CHECK(made.scene.words(made.segments[s].result) == whole[s]);
    }
}
