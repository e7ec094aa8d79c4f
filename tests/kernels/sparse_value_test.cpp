// The product with a matrix kept by input, against float64: every weight type, decode and wide steps, and inputs of which
// none, few, or all are zero. What an input that is zero would be multiplied by must not be read.
#include "runtime/kernels/wide.h"
#include "tests/kernels/any_device.h"
#include "tests/kernels/scene.h"
#include "runtime/reference/reference.h"

#include <cmath>

using namespace ff;
using namespace ff::test;

namespace {

constexpr double kTolerance = 2e-5;
constexpr std::uint32_t kMostColumns = 769;

struct Shape {
    std::uint32_t outputs, inputs; // inputs: of plain types; whole blocks of the others
    std::uint32_t tokens, most;    // rows of the step, and rows it could have; 1: a decode step
    bool gated;
    double share; // of the inputs that are not zero
};

struct Case {
    Scene scene;
    kernels::Matrix matrix;
    kernels::Activation input, gate, x;
    std::vector<float> h, before;          // [tokens, columns], [tokens, outputs]
    std::vector<std::uint32_t> strip_words; // the weights
    reference::Vector want;
    Shape shape;

    std::vector<kernels::Launch> launches() {
        return must(kernels::sparse_value(scene.wide_step(shape.most), {3, &matrix, input, gate, x}));
    }
    reference::Vector want_of(std::uint32_t token) const {
        const auto begin = want.begin() + static_cast<std::ptrdiff_t>(token * shape.outputs);
        return {begin, begin + shape.outputs};
    }
    std::vector<float> result(std::uint32_t token) const {
        const auto all = scene.floats(x);
        const auto begin = all.begin() + static_cast<std::ptrdiff_t>(token * padded(shape.outputs));
        return {begin, begin + shape.outputs};
    }
};

Case make_case(const Shape &shape, kernels::WeightType type) {
    Random random(17);
    const std::uint32_t block = kernels::block_elements(type), columns = (shape.inputs + block - 1) / block * block;
    const auto values = random_matrix(random, shape.outputs, columns);
    const auto words = packed_strips(values, shape.outputs, columns, type);
    auto h = random.vector(std::size_t{shape.tokens} * columns);
    for (float &value : h) value = random.uniform() < shape.share ? value * value : 0.0F;
    const auto x = random.vector(std::size_t{shape.tokens} * shape.outputs);
    const auto gate = shape.gated ? random.vector(x.size()) : std::vector<float>{};
    Case made{Scene({.scratch_floats = shape.most * (padded(columns) + 2ULL * padded(shape.outputs)) + shader::kWideWords,
                     .weight_bytes = 4 * words.size() + 512,
                     .parameter_floats = 256,
                     .header_words = shader::kWideWords}),
              {"value.weight", type, shape.outputs, columns, {}, true},
              {},
              {},
              {},
              h,
              x,
              words,
              {},
              shape};
    const auto strips = made.scene.weights.put(std::span<const std::uint32_t>(made.strip_words));
    made.matrix.parts = {{strips, 0, made.matrix.stored_rows()}};
    made.input = made.scene.array("h", h, columns, shape.most);
    if (shape.gated) made.gate = made.scene.array("gate", gate, shape.outputs, shape.most);
    made.x = made.scene.array("x", x, shape.outputs, shape.most);
    const auto held = rounded(values, type);
    for (std::uint32_t t = 0; t < shape.tokens; ++t) {
        const auto row = [&](const std::vector<float> &of, std::uint32_t floats) {
            return std::span<const float>(of).subspan(std::size_t{t} * floats, of.empty() ? 0 : floats);
        };
        const auto sums = reference::project_add(row(x, shape.outputs), held, row(h, columns),
                                                 row(gate, shape.outputs));
        made.want.insert(made.want.end(), sums.begin(), sums.end());
    }
    std::vector<std::uint32_t> header(shader::kWideWords, 0);
    header[shader::kWideRows] = shape.tokens;
    static_assert(shader::kWideRows == shader::kStepRun);
    made.scene.scratch.set(made.scene.header, header);
    made.scene.scratch.may_change(made.x.view);
    return made;
}

void check(const Shape &shape, const kernels::Variant &variant) {
    CAPTURE(kernels::full_name(variant));
    CAPTURE(shape.outputs);
    CAPTURE(shape.tokens);
    CAPTURE(shape.share);
    Case made = make_case(shape, weight_type(variant));
    if (!variant.needs_coopmat) made.scene.traits.matrix_shapes.clear();
    if (!variant.needs_address) made.scene.traits.buffer_addresses = false;
    made.scene.traits.matrices_slow = false;
    const auto launches = made.launches();
    for (const kernels::Launch &launch : launches) REQUIRE(launch.variant == &variant);
    made.scene.run(launches);
    for (std::uint32_t t = 0; t < shape.tokens; ++t) CHECK_CLOSE(made.result(t), made.want_of(t), kTolerance);
}

} // namespace

TEST_CASE("sparse_value: one token") {
    for (const kernels::Variant *variant : every_variant("sparse_value")) check({77, 129, 1, 1, true, 0.2}, *variant);
    for (const kernels::Variant *variant : runnable_variants("sparse_value"))
        for (const Shape shape :
             {Shape{1, 4, 1, 1, false, 1}, {130, kMostColumns, 1, 1, false, 0.5}, {65, kMostColumns, 1, 1, true, 0}})
            check(shape, *variant);
}

TEST_CASE("sparse_value: few tokens") {
    for (const kernels::Variant *variant : every_variant("sparse_value")) check({77, 129, 5, 8, true, 0.2}, *variant);
    for (const kernels::Variant *variant : runnable_variants("sparse_value"))
        for (const Shape shape : {Shape{77, 129, 2, 2, false, 0.1}, {20, 40, 8, 8, true, 1}}) check(shape, *variant);
}

TEST_CASE("sparse_value: many tokens are a tiled product") {
    for (const kernels::Variant *variant : runnable_variants("matmul"))
        for (const Shape shape : {Shape{130, 300, 70, 70, true, 0.5}, {77, 129, 9, 20, false, 0.1}}) check(shape, *variant);
    // The ordinary variants of block formats: by whole models (tests/models/prefill_test.cpp).
    for (const kernels::Variant *variant : every_variant("matmul"))
        if (variant->needs_coopmat && kernels::is_block(weight_type(*variant)))
            check({77, 512, 20, 20, true, 0.5}, *variant);
}

TEST_CASE("sparse_value leaves everything as it is when no token is read") {
    Case made = make_case({77, 129, 1, 1, true, 0.5}, kernels::WeightType::f16);
    made.scene.scratch.set(made.scene.header, std::vector<std::uint32_t>(shader::kWideWords, 0));
    made.scene.run(made.launches());
    CHECK(made.result(0) == made.before);
}

TEST_CASE("sparse_value: weights of inputs that are zero are not read") {
    Case made = make_case({77, 129, 1, 1, true, 0.2}, kernels::WeightType::f32);
    // What is multiplied by zero is NaN, and would show.
    auto words = made.strip_words;
    const std::size_t row = made.matrix.row_bytes() / 4;
    for (std::size_t i = 0; i < made.h.size(); ++i)
        if (made.h[i] == 0)
            for (std::size_t o = 0; o < row; ++o) words[i * row + o] = 0x7fc00000;
    made.scene.weights.set(made.matrix.parts[0].view, words);
    made.scene.run(made.launches());
    CHECK_CLOSE(made.result(0), made.want, kTolerance);
}

TEST_CASE("sparse_value: a row's bits do not depend on the rows beside it, nor on what a workgroup has") {
    const Shape shape{130, kMostColumns, 7, 8, true, 0.15};
    for (const kernels::WeightType type : {kernels::WeightType::f16, kernels::WeightType::q8_0, kernels::WeightType::q4_k}) {
        CAPTURE(kernels::name_of(type));
        Case beside = make_case(shape, type);
        beside.scene.run(beside.launches());
        for (const std::uint32_t tokens : {1U, 2U, 4U}) {
            CAPTURE(tokens);
            if (tokens == 1 && kernels::is_block(type)) continue; // a decode step's, which scales sums instead of weights
            Case other = make_case(shape, type);
            auto launches = other.launches();
            REQUIRE(launches.size() == 1);
            force_constant(launches[0], shader::kSpecFewTokens, tokens);
            launches[0].groups[1] = (7 + tokens - 1) / tokens;
            other.scene.run(launches);
            for (std::uint32_t t = 0; t < shape.tokens; ++t) CHECK(other.result(t) == beside.result(t));
        }
    }
}

TEST_CASE("sparse_value: the loads of all lanes together give the same bits") {
    for (const kernels::Variant *variant : every_variant("sparse_value"))
        for (const Shape shape : {Shape{256, 129, 1, 1, true, 0.4}, {256, 300, 3, 4, false, 0.2}}) {
            CAPTURE(variant->name);
            Case own = make_case(shape, weight_type(*variant)), joined = make_case(shape, weight_type(*variant));
            own.scene.traits.lane_loads_slow = false;
            if (!join_lanes(joined.scene)) return;
            auto launches = joined.launches();
            if (!joins_lanes(launches.front())) { // only where a workgroup is a team by itself: make it one
                const std::uint32_t lanes = joined.scene.traits.subgroup_size;
                force_constant(launches.front(), shader::kSpecLocalSize, lanes);
                force_constant(launches.front(), shader::kSpecLanes, lanes);
                launches.front().constants.push_back({shader::kSpecUniformLanes, lanes});
                launches.front().groups[0] = shape.outputs / 8 / lanes;
            }
            own.scene.run(own.launches());
            joined.scene.run(launches);
            for (std::uint32_t t = 0; t < shape.tokens; ++t) {
                CHECK_CLOSE(joined.result(t), joined.want_of(t), kTolerance);
                if (joined.scene.traits.subgroup_size <= 8) CHECK(joined.result(t) == own.result(t));
            }
        }
}

TEST_CASE("sparse_value: every workgroup that a device may get") {
    const auto check_type = [](kernels::WeightType type, std::uint32_t tokens, std::uint32_t most) {
        // Inputs enough for the largest workgroup with the smallest teams: a team without a word of inputs would not be.
        const Shape shape{130, 2048, tokens, most, true, 0.3};
        CAPTURE(kernels::name_of(type));
        const kernels::Variant &variant = kernels::variant_for("sparse_value", type, device()->traits());
        for (const kernels::SparseTuning &tuning : tunings_of_any_device<kernels::SparseTuning>(
                 {130, 4096}, // outputs
                 [&](const gpu::DeviceTraits &traits, std::uint32_t outputs) {
                     return kernels::tune_sparse(traits, variant, shape.inputs, outputs, shape.most);
                 })) {
            CAPTURE(tuning.local_size);
            CAPTURE(tuning.lanes);
            Case made = make_case(shape, type);
            auto launches = made.launches();
            REQUIRE(launches.size() == 1);
            launches[0].constants = kernels::constants_of(tuning);
            launches[0].groups[0] = (130 + 8 * tuning.lanes - 1) / (8 * tuning.lanes);
            launches[0].groups[1] = (tokens + tuning.tokens - 1) / tuning.tokens;
            made.scene.run(launches);
            for (std::uint32_t t = 0; t < tokens; ++t) CHECK_CLOSE(made.result(t), made.want_of(t), kTolerance);
        }
    };
    check_type(kernels::WeightType::bf16, 3, 4);
    check_type(kernels::WeightType::q8_0, 3, 4);
    check_type(kernels::WeightType::q6_k, 1, 1); // sums are scaled by halves of a word
}

TEST_CASE("sparse_value: the tiled product, where it was measured to be faster for so many tokens") {
    for (const std::uint32_t most : {2U, 8U}) {
        CAPTURE(most);
        const Shape shape{77, 129, 2, most, true, 0.5};
        for (const kernels::WeightType type : {kernels::WeightType::f16, kernels::WeightType::q4_0}) {
            Case made = make_case(shape, type);
            gpu::DeviceTraits &traits = made.scene.traits;
            const kernels::Variant &variant = kernels::variant_for("sparse_value", type, traits);
            const auto table = [&](std::uint32_t tokens) {
                return kernels::tune_sparse(traits, variant, made.matrix.columns, 77, tokens);
            };
            const auto launch = [&] {
                auto launches = made.launches();
                REQUIRE(launches.size() == 1);
                return std::move(launches.front());
            };
            for (const std::uint32_t tokens : {1U, 2U, 8U}) {
                REQUIRE(table(tokens).origin.tunable);
                traits.tuned = {{table(tokens).origin.tunable->key, {0, 0}}};
                CHECK(table(tokens).tiled == (tokens > 1));
                CHECK((launch().variant->kernel == "matmul") == (tokens == most));
            }
            traits.tuned = {{table(most).origin.tunable->key, {0, 0}}};
            const std::vector<kernels::Launch> tiled = {launch()};
            CHECK(tiled.front().tuning.measured);
            made.scene.run(tiled);
            for (std::uint32_t t = 0; t < 2; ++t) CHECK_CLOSE(made.result(t), made.want_of(t), kTolerance);

            traits.denied = {kernels::full_name(kernels::variant_for("matmul", type, traits))};
            while (kernels::is_usable("matmul", type, traits))
                traits.denied.push_back(kernels::full_name(kernels::variant_for("matmul", type, traits)));
            CHECK(launch().variant->kernel == "sparse_value");
        }
    }
}

TEST_CASE("sparse_value split by inputs") {
    for (const std::uint32_t most : {1U, 8U, 70U})
        for (const kernels::WeightType type : {kernels::WeightType::f16, kernels::WeightType::q4_0}) {
            CAPTURE(most);
            CAPTURE(kernels::name_of(type));
            Case made = make_case({77, 400, std::min(most, 3U), most, true, 0.5}, type);
            const std::uint32_t strips = kernels::is_block(type) ? 4 : 128;
            made.scene.traits.max_storage_buffer_range = strips * made.matrix.row_bytes();
            const auto launches = made.launches();
            CHECK(launches.size() >= 2);
            made.scene.run(launches);
            for (std::uint32_t t = 0; t < made.shape.tokens; ++t) CHECK_CLOSE(made.result(t), made.want_of(t), kTolerance);
        }
}
