#include "tests/kernels/scene.h"
#include "runtime/reference/reference.h"

using namespace ff;
using namespace ff::test;

namespace {

constexpr double kTolerance = 1e-5;
constexpr std::uint32_t kSlots = 3;

struct Shape {
    std::uint32_t vocabulary, width, slot;
};

struct Case {
    Scene scene;
    GuardedMemory logits;
    gpu::BufferView view; // [kSlots, V]
    kernels::Matrix matrix;
    kernels::Activation x;
    std::uint32_t norm_at;
    reference::Vector want;

    gpu::BufferView row(const Shape &shape) const {
        return view.slice(std::uint64_t{4} * shape.vocabulary * shape.slot, std::uint64_t{4} * shape.vocabulary);
    }
};

Case make_case(const Shape &shape, kernels::WeightType type) {
    Random random(21);
    const auto values = random_matrix(random, shape.vocabulary, shape.width);
    const auto x = random.vector(shape.width, 3, 0.5);
    const auto weight = random.vector(shape.width, 0.3, 1), bias = random.vector(shape.width, 0.3);
    const std::uint64_t floats = std::uint64_t{kSlots} * shape.vocabulary;
    Case made{Scene({.scratch_floats = shape.width + 64ULL,
                     .weight_bytes = matrix_bytes(shape.vocabulary, shape.width, type),
                     .parameter_floats = 2ULL * shape.width + 64}),
              GuardedMemory("logits", 4 * floats + 512),
              {},
              {},
              {},
              0,
              reference::head(rounded(values, type), x, weight, bias)};
    made.view = made.logits.put(random.vector(floats));
    made.matrix = put_matrix(made.scene.weights, "head.weight", values, shape.vocabulary, shape.width, type);
    made.x = made.scene.activation("x", x);
    made.norm_at = made.scene.parameters.put_together({weight, bias});
    made.scene.set_header({.slot = shape.slot});
    return made;
}

std::vector<kernels::Launch> launches_of(Case &made, const kernels::Variant *variant) {
    return kernels::head(made.scene.step(), {variant, &made.matrix, made.norm_at, made.x, made.view});
}

} // namespace

TEST_CASE("head") {
    for (const kernels::Variant *variant : runnable_variants("head"))
        for (const Shape shape : {Shape{1, 4, 0}, {97, 77, 1}, {256, 129, 2}, {130, 769, 0}, {50277, 12, 1}}) {
            CAPTURE(variant->name);
            CAPTURE(shape.vocabulary);
            CAPTURE(shape.width);
            Case made = make_case(shape, weight_type(*variant));
            made.logits.may_change(made.row(shape));
            made.scene.run(launches_of(made, variant), {&made.logits});
            CHECK_CLOSE(made.logits.floats(made.row(shape)), made.want, tolerance_of(*variant, kTolerance));
        }
}

TEST_CASE("head by address, with the loads of all lanes together") {
    const Shape shape{97, 512, 1};
    for (const kernels::Variant *variant : address_variants("head")) {
        CAPTURE(variant->name);
        Case made = make_case(shape, weight_type(*variant));
        if (!join_lanes(made.scene)) return;
        made.logits.may_change(made.row(shape));
        const auto launches = launches_of(made, variant);
        REQUIRE(joins_lanes(launches.front()));
        made.scene.run(launches, {&made.logits});
        CHECK_CLOSE(made.logits.floats(made.row(shape)), made.want, kTolerance);
    }
}

TEST_CASE("head has no work while the prompt is read") {
    for (const kernels::Variant *variant : runnable_variants("head")) {
        CAPTURE(variant->name);
        Case made = make_case({97, 77, 1}, weight_type(*variant));
        made.scene.set_header({.slot = 1, .logits = 0});
        made.scene.run(launches_of(made, variant), {&made.logits}); // nothing may change
    }
}

TEST_CASE("head split by rows gives the same bits") {
    const Shape shape{130, 129, 2};
    for (const kernels::Variant *variant : runnable_variants("head")) {
        CAPTURE(variant->name);
        Case made = make_case(shape, weight_type(*variant));
        made.logits.may_change(made.row(shape));
        made.scene.run(launches_of(made, variant), {&made.logits});
        const auto whole = made.logits.words(made.row(shape));
        made.scene.traits.max_storage_buffer_range = 48 * made.matrix.row_bytes();
        const auto launches = launches_of(made, variant);
        CHECK(launches.size() >= 3);
        made.scene.run(launches, {&made.logits});
        CHECK(made.logits.words(made.row(shape)) == whole);
    }
}
