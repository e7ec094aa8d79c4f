#include "tests/kernels/scene.h"
#include "runtime/reference/reference.h"

#include <bit>
#include <cmath>

using namespace ff;
using namespace ff::test;

namespace {

constexpr double kTolerance = 2e-5;

struct Case {
    Scene scene;
    SlotState kept; // two copies of aa, bb, pp a slot
    kernels::Matrix matrix;
    kernels::Activation r, k, v, x;
    std::uint32_t decay_at, copy;
    std::vector<float> values, decay, first;
    reference::Wkv4State state;
};

struct Token {
    std::vector<float> r, k, v, x;
};

Token random_token(Random &random, std::uint32_t width, double key_deviation) {
    Token token{random.vector(width), random.vector(width, key_deviation), random.vector(width), random.vector(width)};
    for (float &value : token.r) value = static_cast<float>(reference::sigmoid(value));
    return token;
}

// `fresh`: the state of a new session, else one in the middle of a text.
Case make_case(std::uint32_t width, std::uint32_t slot, kernels::WeightType type, bool fresh) {
    Random random(41);
    const std::uint32_t copy = 3 * padded(width);
    SlotState kept;
    kept.floats = 2 * copy + 16;
    Case made{Scene({.scratch_floats = 4ULL * width,
                     .state_floats = std::uint64_t{kept.slots} * kept.floats,
                     .weight_bytes = matrix_bytes(width, width, type),
                     .parameter_floats = 2ULL * width + 64}),
              kept,
              {},
              {},
              {},
              {},
              {},
              0,
              copy,
              random_matrix(random, width, width),
              {},
              {},
              {}};
    for (const double raw : reference::widen(random.vector(width, 2))) // -exp(time_decay)
        made.decay.push_back(static_cast<float>(-std::exp(raw)));
    made.first = random.vector(width, 2);
    made.matrix = put_matrix(made.scene.weights, "output.weight", made.values, width, width, type);
    made.values = rounded(made.values, type);
    made.decay_at = made.scene.parameters.put_together({made.decay, made.first});

    std::vector<float> state = random.vector(std::size_t{kept.slots} * kept.floats);
    float *at = state.data() + slot * kept.floats + kept.offset; // the copy of parity 0
    for (std::uint32_t vector = 0; vector < 3; ++vector)
        for (std::uint32_t i = 0; i < padded(width); ++i) {
            double value = random.normal();
            if (vector == 1) value = 1 + std::fabs(value); // a denominator
            if (fresh) value = vector == 2 ? -1e30 : 0;
            if (i >= width) value = 0;
            at[vector * padded(width) + i] = static_cast<float>(value);
        }
    const auto part = [&](std::uint32_t vector) { return reference::widen({at + vector * padded(width), width}); };
    made.state = {part(0), part(1), part(2)};
    made.kept.view = made.scene.state.put(state);
    const std::vector<float> zero(width);
    made.r = made.scene.activation("r", zero);
    made.k = made.scene.activation("k", zero);
    made.v = made.scene.activation("v", zero);
    made.x = made.scene.activation("x", zero);
    return made;
}

void set(Case &made, const Token &token) {
    const auto put = [&](const kernels::Activation &to, const std::vector<float> &values) {
        std::vector<std::uint32_t> words;
        for (const float value : values) words.push_back(std::bit_cast<std::uint32_t>(value));
        made.scene.scratch.set(to.view, words);
    };
    put(made.r, token.r);
    put(made.k, token.k);
    put(made.v, token.v);
    put(made.x, token.x);
}

std::vector<kernels::Launch> launches_of(Case &made, const kernels::Variant *variant) {
    return kernels::wkv4_project_add(made.scene.step(), {variant,
                                                         1,
                                                         &made.matrix,
                                                         made.decay_at,
                                                         made.r,
                                                         made.k,
                                                         made.v,
                                                         made.x,
                                                         {"state.1", made.kept.view, made.kept.slot_bytes()},
                                                         std::uint64_t{4} * made.kept.offset});
}

void check_state(const Case &made, std::uint32_t width, std::uint32_t slot, std::uint32_t parity) {
    const reference::Vector *want[] = {&made.state.aa, &made.state.bb, &made.state.pp};
    for (std::uint32_t vector = 0; vector < 3; ++vector) {
        CAPTURE(vector);
        const auto view = made.kept.part(slot, parity * made.copy + vector * padded(width), width);
        CHECK_CLOSE(made.scene.state.floats(view), *want[vector], kTolerance);
    }
}

} // namespace

TEST_CASE("wkv4_project_add walks through a text") {
    struct Shape {
        std::uint32_t width, slot;
        double key_deviation;
        bool fresh;
    };
    for (const kernels::Variant *variant : runnable_variants("wkv4_project_add"))
        for (const Shape shape : {Shape{4, 0, 1, true}, {77, 2, 30, false}, {129, 1, 3, true}, {769, 0, 1, false}}) {
            CAPTURE(variant->name);
            CAPTURE(shape.width);
            Case made = make_case(shape.width, shape.slot, weight_type(*variant), shape.fresh);
            Random random(42);
            for (std::uint32_t token = 0; token < 3; ++token) { // keys far apart: the running maximum moves
                CAPTURE(token);
                const std::uint32_t parity = token % 2;
                const Token in = random_token(random, shape.width, shape.key_deviation);
                set(made, in);
                made.scene.set_header({.parity = parity, .slot = shape.slot});
                made.scene.scratch.nothing_may_change();
                made.scene.state.nothing_may_change();
                made.scene.scratch.may_change(made.x.view);
                made.scene.state.may_change(made.kept.part(shape.slot, (1 - parity) * made.copy, made.copy));
                made.scene.run(launches_of(made, variant));

                const auto wkv = reference::wkv4(in.r, in.k, in.v, made.decay, made.first, made.state);
                auto want = reference::multiply(made.values, wkv);
                for (std::size_t i = 0; i < want.size(); ++i) want[i] += double{in.x[i]};
                CHECK_CLOSE(made.scene.floats(made.x), want, kTolerance);
                check_state(made, shape.width, shape.slot, 1 - parity);
                made.scene.state.keep_going();
            }
        }
}

TEST_CASE("wkv4_project_add leaves everything as it is when no token is read") {
    for (const kernels::Variant *variant : runnable_variants("wkv4_project_add")) {
        CAPTURE(variant->name);
        Case made = make_case(77, 1, weight_type(*variant), false);
        made.scene.set_header({.run = 0, .slot = 1});
        made.scene.run(launches_of(made, variant));
    }
}

TEST_CASE("wkv4_project_add split by rows, and with its input recomputed, gives the same") {
    for (const kernels::Variant *variant : runnable_variants("wkv4_project_add")) {
        CAPTURE(variant->name);
        Case made = make_case(129, 1, weight_type(*variant), false);
        Random random(43);
        set(made, random_token(random, 129, 2));
        made.scene.set_header({.slot = 1});
        made.scene.scratch.may_change(made.x.view);
        made.scene.state.may_change(made.kept.part(1, made.copy, made.copy));
        made.scene.run(launches_of(made, variant));
        const auto x = made.scene.words(made.x), state = made.scene.state.words(made.kept.view);
        const auto close = made.scene.floats(made.x);

        made.scene.traits.max_storage_buffer_range = 48 * made.matrix.row_bytes();
        const auto launches = launches_of(made, variant);
        CHECK(launches.size() == 3);
        made.scene.run(launches);
        CHECK(made.scene.words(made.x) == x);
        CHECK(made.scene.state.words(made.kept.view) == state);

        made.scene.traits = device()->traits();
        made.scene.traits.max_shared_memory_bytes = 1024; // too little for the input
        made.scene.run(launches_of(made, variant));
        CHECK_CLOSE(made.scene.floats(made.x), std::span<const float>(close), kTolerance);
        CHECK(made.scene.state.words(made.kept.view) == state);
    }
}
