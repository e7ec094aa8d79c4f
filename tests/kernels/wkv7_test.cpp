#include "runtime/kernels/tuning.h"
#include "tests/kernels/scene.h"
#include "runtime/reference/reference.h"

#include <bit>

using namespace ff;
using namespace ff::test;

namespace {

constexpr double kTolerance = 2e-5;

struct Shape {
    std::uint32_t heads, head_size;
    std::uint32_t rank_w, rank_a, rank_v, rank_g; // rank_v 0: the first layer
    std::uint32_t slot;
};

// A low-rank pair's second half: as in the checkpoint for the reference, transposed for the device.
struct Up {
    std::vector<float> checkpoint; // [rank, C]
    kernels::Matrix matrix;        // [C, rank]
};

struct Case {
    Scene scene;
    Shape shape;
    SlotState wkv;
    Up w, a, v, g;
    std::vector<std::vector<float>> vectors; // w0 a0 v0 k_k k_a r_k ln_x.weight ln_x.bias
    std::uint32_t vectors_at = 0;
    std::vector<std::pair<kernels::Activation, std::vector<float>>> inputs; // r k v v_first low_w low_a low_v low_g
    kernels::Activation v_first, y;
    reference::Vector state;

    std::uint32_t width() const { return shape.heads * shape.head_size; }
    gpu::BufferView own_state() const { return wkv.part(shape.slot, 0, width() * shape.head_size); }
};

Up random_up(Scene &scene, Random &random, const char *name, std::uint32_t rank, std::uint32_t width,
             kernels::WeightType type) {
    Up up;
    if (rank == 0) return up;
    const auto transposed = random_matrix(random, width, rank);
    up.matrix = put_matrix(scene.weights, name, transposed, width, rank, type);
    const auto exact = rounded(transposed, type);
    up.checkpoint.resize(exact.size());
    for (std::size_t channel = 0; channel < width; ++channel)
        for (std::size_t i = 0; i < rank; ++i) up.checkpoint[i * width + channel] = exact[channel * rank + i];
    return up;
}

Case make_case(const Shape &shape, kernels::WeightType type) {
    Random random(51);
    const std::uint32_t width = shape.heads * shape.head_size;
    SlotState wkv;
    wkv.floats = width * shape.head_size + 24;
    SceneSize size{.scratch_floats = 8ULL * width + 256,
                   .state_floats = std::uint64_t{wkv.slots} * wkv.floats,
                   .parameter_floats = 8ULL * width + 256};
    for (const std::uint32_t rank : {shape.rank_w, shape.rank_a, shape.rank_v, shape.rank_g})
        size.weight_bytes += matrix_bytes(width, rank, type);
    Case made{Scene(size), shape, wkv, {}, {}, {}, {}, {}, 0, {}, {}, {}, {}};
    Scene &scene = made.scene;
    made.w = random_up(scene, random, "w2", shape.rank_w, width, type);
    made.a = random_up(scene, random, "a2", shape.rank_a, width, type);
    made.v = random_up(scene, random, "v2", shape.rank_v, width, type);
    made.g = random_up(scene, random, "g2", shape.rank_g, width, type);
    for (int i = 0; i < 8; ++i) made.vectors.push_back(random.vector(width, 0.7, i == 6 ? 1 : 0.2));
    const auto &m = made.vectors;
    made.vectors_at = scene.parameters.put_together({m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7]});
    for (const auto &[name, count] : {std::pair{"r", width},
                                      {"k", width},
                                      {"v", width},
                                      {"v_first", width},
                                      {"low_w", shape.rank_w},
                                      {"low_a", shape.rank_a},
                                      {"low_v", shape.rank_v},
                                      {"low_g", shape.rank_g}}) {
        const std::vector<float> zero(count);
        made.inputs.emplace_back(count ? scene.activation(name, zero) : kernels::Activation{}, zero);
    }
    made.y = scene.output("y", width);
    const auto state = random.vector(std::size_t{wkv.slots} * wkv.floats, 0.5);
    made.wkv.view = scene.state.put(state);
    const float *own = state.data() + shape.slot * wkv.floats + wkv.offset;
    made.state = reference::widen({own, std::size_t{width} * shape.head_size});
    scene.set_header({.parity = 1, .slot = shape.slot});
    return made;
}

void set_token(Case &made, Random &random, bool zero_key = false) {
    for (std::size_t i = 0; i < made.inputs.size(); ++i) {
        auto &[activation, values] = made.inputs[i];
        values = random.vector(values.size());
        if (i == 1 && zero_key) std::fill(values.begin(), values.end(), 0.0F);
        std::vector<std::uint32_t> words;
        for (const float value : values) words.push_back(std::bit_cast<std::uint32_t>(value));
        if (!words.empty()) made.scene.scratch.set(activation.view, words);
    }
}

kernels::Launch launch_of(Case &made, const kernels::Variant *variant) {
    const auto &in = made.inputs;
    return must(kernels::wkv7(made.scene.step(), {variant,
                                                  4,
                                                  made.shape.heads,
                                                  made.shape.head_size,
                                                  in[0].first,
                                                  in[1].first,
                                                  in[2].first,
                                                  in[3].first,
                                                  made.y,
                                                  in[4].first,
                                                  in[5].first,
                                                  in[6].first,
                                                  in[7].first,
                                                  &made.w.matrix,
                                                  &made.a.matrix,
                                                  made.shape.rank_v ? &made.v.matrix : nullptr,
                                                  &made.g.matrix,
                                                  made.vectors_at,
                                                  padded(made.width()) / 4,
                                                  {"state.4", made.wkv.view, made.wkv.slot_bytes()},
                                                  std::uint64_t{4} * made.wkv.offset}));
}

reference::Vector expected(Case &made) { // moves the reference's state on
    const auto &in = made.inputs;
    const auto &m = made.vectors;
    const bool first_layer = made.shape.rank_v == 0;
    return reference::wkv7({made.shape.heads,
                            made.shape.head_size,
                            in[0].second,
                            in[1].second,
                            in[2].second,
                            first_layer ? reference::Floats{} : reference::Floats{in[3].second},
                            in[4].second,
                            in[5].second,
                            in[6].second,
                            in[7].second,
                            made.w.checkpoint,
                            made.a.checkpoint,
                            made.v.checkpoint,
                            made.g.checkpoint,
                            m[0],
                            m[1],
                            m[2],
                            m[3],
                            m[4],
                            m[5],
                            m[6],
                            m[7]},
                           made.state);
}

void run_and_check(Case &made, const kernels::Variant *variant) {
    const kernels::Launch launch = launch_of(made, variant);
    made.scene.run(std::span(&launch, 1));
    CHECK_CLOSE(made.scene.floats(made.y), expected(made), kTolerance);
    CHECK_CLOSE(made.scene.state.floats(made.own_state()), made.state, kTolerance);
    if (made.shape.rank_v == 0) // later layers read this layer's v
        CHECK(made.scene.floats(made.inputs[3].first) == made.inputs[2].second);
}

void allow(Case &made) {
    made.scene.state.may_change(made.own_state());
    if (made.shape.rank_v == 0) made.scene.scratch.may_change(made.inputs[3].first.view);
}

// What this device cannot run in one workgroup is refused by tuning, and not a case.
bool runs(const Shape &shape) {
    return kernels::tune_wkv(device()->traits(), shape.head_size).ok();
}

} // namespace

TEST_CASE("wkv7 walks through a text") {
    for (const kernels::Variant *variant : runnable_variants("wkv7"))
        for (const Shape shape : {Shape{1, 8, 1, 5, 32, 129, 0},
                                  {3, 32, 32, 1, 0, 5, 2},
                                  {2, 64, 129, 32, 5, 64, 1},
                                  {2, 64, 8, 16, 0, 24, 0},
                                  {1, 128, 5, 129, 1, 32, 2}}) {
            if (!runs(shape)) continue;
            CAPTURE(variant->name);
            CAPTURE(shape.head_size);
            CAPTURE(shape.rank_v);
            Case made = make_case(shape, weight_type(*variant));
            allow(made);
            Random random(52);
            for (int token = 0; token < 3; ++token) {
                CAPTURE(token);
                set_token(made, random);
                run_and_check(made, variant);
                made.scene.state.keep_going();
            }
        }
}

TEST_CASE("wkv7 with a zero key removes nothing") { // the norm is clamped, so no NaN comes of it
    for (const kernels::Variant *variant : runnable_variants("wkv7")) {
        CAPTURE(variant->name);
        Case made = make_case({2, 64, 8, 8, 8, 8, 1}, weight_type(*variant));
        allow(made);
        Random random(53);
        set_token(made, random, true);
        run_and_check(made, variant);
    }
}

TEST_CASE("wkv7 with fewer lanes a row") {
    for (const kernels::Variant *variant : runnable_variants("wkv7"))
        for (const std::uint32_t invocations : {64U, 128U}) { // one and two lanes for a head of 64
            CAPTURE(variant->name);
            CAPTURE(invocations);
            Case made = make_case({2, 64, 8, 5, 3, 8, 1}, weight_type(*variant));
            allow(made);
            made.scene.traits.max_workgroup_invocations = invocations;
            Random random(54);
            set_token(made, random);
            run_and_check(made, variant);
        }
}

TEST_CASE("wkv7 leaves everything as it is when no token is read") {
    for (const kernels::Variant *variant : runnable_variants("wkv7")) {
        CAPTURE(variant->name);
        Case made = make_case({3, 32, 8, 8, 8, 8, 1}, weight_type(*variant));
        made.scene.scratch.nothing_may_change();
        made.scene.set_header({.run = 0, .slot = 1});
        const kernels::Launch launch = launch_of(made, variant);
        made.scene.run(std::span(&launch, 1));
    }
}
