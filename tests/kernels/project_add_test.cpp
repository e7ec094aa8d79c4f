#include "tests/kernels/scene.h"
#include "runtime/reference/reference.h"

using namespace ff;
using namespace ff::test;

namespace {

constexpr double kTolerance = 5e-6;

struct Shape {
    std::uint32_t rows, columns;
    bool gated;
};

struct Case {
    Scene scene;
    kernels::Matrix matrix;
    kernels::Activation input, gate, x;
    reference::Vector want;
};

Case make_case(const Shape &shape, kernels::WeightType type) {
    Random random(11);
    const auto values = random_matrix(random, shape.rows, shape.columns);
    const auto y = random.vector(shape.columns), x = random.vector(shape.rows);
    const auto gate = shape.gated ? random.vector(shape.rows) : std::vector<float>{};
    Case made{Scene({.scratch_floats = shape.columns + 2ULL * shape.rows + 64,
                     .weight_bytes = matrix_bytes(shape.rows, shape.columns, type)}),
              {},
              {},
              {},
              {},
              reference::project_add(x, rounded(values, type), y, gate)};
    made.matrix = put_matrix(made.scene.weights, "output.weight", values, shape.rows, shape.columns, type);
    made.input = made.scene.activation("y", y);
    if (shape.gated) made.gate = made.scene.activation("gate", gate);
    made.x = made.scene.activation("x", x);
    return made;
}

std::vector<kernels::Launch> launches_of(Case &made, const kernels::Variant *variant) {
    return kernels::project_add(made.scene.step(), {variant, 3, &made.matrix, made.input, made.gate, made.x});
}

} // namespace

TEST_CASE("project_add") {
    for (const kernels::Variant *variant : runnable_variants("project_add"))
        for (const Shape shape :
             {Shape{1, 4, false}, {3, 77, true}, {77, 129, true}, {130, 769, false}, {769, 8, true}}) {
            CAPTURE(variant->name);
            CAPTURE(shape.rows);
            CAPTURE(shape.columns);
            Case made = make_case(shape, weight_type(*variant));
            made.scene.scratch.may_change(made.x.view);
            made.scene.run(launches_of(made, variant));
            CHECK_CLOSE(made.scene.floats(made.x), made.want, tolerance_of(*variant, kTolerance));
        }
}

TEST_CASE("project_add leaves everything as it is when no token is read") {
    for (const kernels::Variant *variant : runnable_variants("project_add")) {
        CAPTURE(variant->name);
        Case made = make_case({77, 129, true}, weight_type(*variant));
        made.scene.set_header({.run = 0});
        made.scene.run(launches_of(made, variant)); // nothing may change
    }
}

TEST_CASE("project_add split by rows gives the same bits") {
    for (const kernels::Variant *variant : runnable_variants("project_add")) {
        CAPTURE(variant->name);
        Case made = make_case({130, 129, true}, weight_type(*variant));
        made.scene.scratch.may_change(made.x.view);
        made.scene.run(launches_of(made, variant));
        const auto whole = made.scene.words(made.x);
        made.scene.traits.max_storage_buffer_range = 48 * made.matrix.row_bytes();
        const auto launches = launches_of(made, variant);
        CHECK(launches.size() >= 3);
        made.scene.run(launches);
        CHECK(made.scene.words(made.x) == whole);
    }
}
