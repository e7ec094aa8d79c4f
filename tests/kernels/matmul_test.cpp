// Matrices times the rows of a wide step, against float64: shapes that are multiples of nothing, several segments, sums
// added to what is there, answers that go to their slots, and every size of tile giving the same bits. The variants with
// cooperative matrices run where the device has these, also where it would not choose them.
#include "runtime/kernels/wide.h"
#include "tests/kernels/any_device.h"
#include "tests/kernels/scene.h"
#include "runtime/reference/reference.h"

using namespace ff;
using namespace ff::test;

namespace {

constexpr double kTolerance = 2e-5;
struct Shape {
    std::uint32_t rows, columns, tokens;
    bool add, gated;
    std::uint32_t most = 70; // rows that the step could have; few of them are matmul_few's
    bool answers = false;    // the tokens are answers, whose results go to slots in another order
    double outlier = 1;      // how much larger some inputs of the second token are
};

std::uint32_t slot_of(std::uint32_t token, const Shape &shape) {
    return shape.answers ? shape.most - 1 - token : token;
}

std::vector<float> row(const std::vector<float> &values, std::uint32_t floats, std::size_t t) {
    return {values.begin() + static_cast<std::ptrdiff_t>(t * floats),
            values.begin() + static_cast<std::ptrdiff_t>((t + 1) * floats)};
}

struct Case {
    Scene scene;
    kernels::Matrix matrix, second;
    kernels::Activation input, gate, out, other_out;
    reference::Vector want, other_want; // [tokens, rows]
    Shape shape;

    std::vector<kernels::Launch> launches() {
        std::vector<kernels::MatmulSegment> segments = {
            {&matrix, input, kernels::ActivationKind::none, out, shape.add, gate}};
        if (!shape.add) segments.push_back({&second, input, kernels::ActivationKind::relu_squared, other_out});
        return must(kernels::matmul(scene.wide_step(shape.most), {5, segments, {}, shape.answers}));
    }
    std::vector<float> results(const kernels::Activation &from) const {
        const std::vector<float> all = scene.floats(from);
        std::vector<float> rows;
        const std::uint32_t stride = padded(shape.rows);
        for (std::uint32_t t = 0; t < shape.tokens; ++t) {
            const auto begin = all.begin() + slot_of(t, shape) * stride;
            rows.insert(rows.end(), begin, begin + shape.rows);
        }
        return rows;
    }
};

Case make_case(const Shape &shape, kernels::WeightType type) {
    Random random(31);
    const auto values = random_matrix(random, shape.rows, shape.columns),
               second = random_matrix(random, shape.rows, shape.columns);
    auto input = random.vector(std::size_t{shape.tokens} * shape.columns);
    for (std::size_t i = shape.columns; i < input.size() && i < 2 * std::size_t{shape.columns}; i += 11)
        input[i] *= static_cast<float>(shape.outlier);
    const auto before = random.vector(std::size_t{shape.tokens} * shape.rows),
               gate = random.vector(std::size_t{shape.tokens} * shape.rows);
    const std::uint64_t floats = shape.most * (padded(shape.columns) + 3ULL * padded(shape.rows)) + 256 + shader::kWideWords;
    Case made{Scene({.scratch_floats = floats,
                     .weight_bytes = 2 * matrix_bytes(shape.rows, shape.columns, type),
                     .parameter_floats = 256,
                     .header_words = shader::kWideWords}),
              {},
              {},
              {},
              {},
              {},
              {},
              {},
              {},
              shape};
    made.matrix = put_matrix(made.scene.weights, "first.weight", values, shape.rows, shape.columns, type);
    if (!shape.add)
        made.second = put_matrix(made.scene.weights, "second.weight", second, shape.rows, shape.columns, type);
    made.input = made.scene.array("input", input, shape.columns, shape.most);
    made.out = made.scene.array("out", before, shape.rows, shape.most);
    if (shape.gated) made.gate = made.scene.array("gate", gate, shape.rows, shape.most);
    if (!shape.add) made.other_out = made.scene.array("other", before, shape.rows, shape.most);
    const auto held = rounded(values, type), other_held = rounded(second, type);
    for (std::uint32_t t = 0; t < shape.tokens; ++t) {
        const auto x = row(input, shape.columns, t);
        const auto product = reference::multiply(held, reference::widen(x)),
                   other = reference::multiply(other_held, reference::widen(x));
        for (std::uint32_t r = 0; r < shape.rows; ++r) {
            const std::size_t at = std::size_t{t} * shape.rows + r;
            const double share = shape.gated ? double{gate[at]} : 1.0;
            made.want.push_back(shape.add ? double{before[at]} + share * product[r] : product[r]);
            const double positive = std::max(other[r], 0.0);
            made.other_want.push_back(positive * positive);
        }
    }
    std::vector<std::uint32_t> header(shader::kWideWords, 0);
    header[shape.answers ? shader::kWideAnswers : shader::kWideRows] = shape.tokens;
    for (std::uint32_t t = 0; t < shape.tokens; ++t)
        header[shader::kWideAnswersAt + 2 * t + 1] = slot_of(t, shape);
    made.scene.scratch.set(made.scene.header, header);
    made.scene.scratch.may_change(made.out.view);
    if (!shape.add) made.scene.scratch.may_change(made.other_out.view);
    return made;
}

} // namespace

namespace {

// Takes away what the variants before `variant` need, so that launches are built of it.
void choose(Case &made, const kernels::Variant &variant) {
    if (!variant.needs_subgroup) made.scene.traits.subgroup_arithmetic = false;
    if (!variant.needs_coopmat) made.scene.traits.matrix_shapes.clear();
    if (!variant.needs_address) made.scene.traits.buffer_addresses = false;
    made.scene.traits.matrices_slow = false;
}

void check(const Shape &shape, const kernels::Variant &variant) {
    CAPTURE(kernels::full_name(variant));
    CAPTURE(shape.rows);
    CAPTURE(shape.columns);
    CAPTURE(shape.tokens);
    CAPTURE(shape.most);
    Case made = make_case(shape, weight_type(variant));
    choose(made, variant);
    const auto launches = made.launches();
    for (const kernels::Launch &launch : launches) REQUIRE(launch.variant == &variant);
    made.scene.run(launches);
    CHECK_CLOSE(made.results(made.out), made.want, kTolerance * std::max(1.0, shape.outlier / 40));
    if (!shape.add) CHECK_CLOSE(made.results(made.other_out), made.other_want, kTolerance);
}

} // namespace

TEST_CASE("matmul") {
    for (const kernels::Variant *variant : runnable_variants("matmul"))
        for (const Shape shape : {Shape{1, 4, 1, false, false},
                                  {77, 129, 3, false, false},
                                  {66, 40, 65, true, true},
                                  {130, 77, 70, true, false},
                                  {64, 32, 64, false, false},
                                  {65, 24, 17, false, false, 30},
                                  {65, 24, 9, false, false, 20, true}})
            check(shape, *variant);
}

TEST_CASE("matmul: block formats by cooperative matrices") { // the ordinary variants': tests/models/prefill_test.cpp
    bool found = false;
    for (const kernels::Variant &variant : kernels::all_variants()) {
        if (variant.kernel != "matmul" || !variant.needs_coopmat || !kernels::is_block(weight_type(variant)) ||
            !kernels::runs_on(variant, device()->traits()))
            continue;
        found = true;
        for (const Shape shape : {Shape{66, 256, 65, true, true}, {35, 768, 9, false, false}}) check(shape, variant);
    }
    if (!found) MESSAGE("SKIPPED: this device has no cooperative matrices");
}

TEST_CASE("matmul: few tokens") {
    for (const kernels::Variant *variant : runnable_variants("matmul_few"))
        for (const Shape shape : {Shape{1, 4, 1, false, false, 2},
                                  {77, 129, 2, false, false, 2},
                                  {66, 300, 3, true, true, 4},
                                  {130, 77, 8, true, false, 8},
                                  {35, 40, 5, false, false, 8},
                                  {35, 40, 6, false, false, 7, true}})
            check(shape, *variant);
    // Each block format by two variants, and these by shapes of their own.
    const Shape shapes[] = {{77, 256, 2, false, false, 2}, {66, 512, 3, true, true, 4}, {35, 256, 5, false, false, 8}};
    std::size_t next = 0;
    for (const kernels::Variant *variant : block_variants("matmul_few"))
        if (!variant->needs_address) check(shapes[next++ % std::size(shapes)], *variant); // by address: below
}

TEST_CASE("matmul: few tokens, with the loads of all lanes together") {
    const Shape shape{66, 256, 3, true, true, 4};
    for (const kernels::Variant *variant : runnable_variants("matmul_few")) {
        if (!variant->needs_subgroup) continue;
        CAPTURE(variant->name);
        Case own = make_case(shape, weight_type(*variant)), joined = make_case(shape, weight_type(*variant));
        own.scene.traits.lane_loads_slow = false;
        if (!join_lanes(joined.scene)) return;
        choose(own, *variant);
        choose(joined, *variant);
        const auto launches = joined.launches();
        REQUIRE(joins_lanes(launches.front()));
        own.scene.run(own.launches());
        joined.scene.run(launches);
        CHECK(joined.results(joined.out) == own.results(own.out));
    }
}

TEST_CASE("matmul: few tokens of block formats by address, with the loads of all lanes together") {
    for (const kernels::Variant *variant : address_variants("matmul_few")) {
        CAPTURE(variant->name);
        if (!kernels::is_block(weight_type(*variant))) continue;
        Case made = make_case({66, 256, 2, true, true, 2}, weight_type(*variant));
        if (!join_lanes(made.scene)) return;
        choose(made, *variant);
        const auto launches = made.launches();
        REQUIRE(launches.front().variant == variant);
        REQUIRE(joins_lanes(launches.front()));
        made.scene.run(launches);
        CHECK_CLOSE(made.results(made.out), made.want, kTolerance);
    }
}

TEST_CASE("matmul: every tile that a device may get gives the same bits") {
    for (const kernels::Variant *variant : every_variant("matmul")) {
        if (variant->needs_coopmat) continue; // below
        const kernels::WeightType type = weight_type(*variant);
        if (kernels::is_block(type) && type != kernels::WeightType::q4_k) continue; // it stands for those of blocks
        CAPTURE(variant->name);
        std::vector<float> first;
        for (const kernels::MatmulTuning &tile : tunings_of_any_device<kernels::MatmulTuning>(
                 {128, 32}, // tokens: whole tiles and half ones
                 [&](const gpu::DeviceTraits &traits, std::uint32_t tokens) {
                     return kernels::tune_matmul(traits, *variant, tokens);
                 })) {
            CAPTURE(tile.local_size);
            CAPTURE(tile.tile_tokens);
            CAPTURE(tile.thread_rows);
            Case made = make_case({77, kernels::is_block(type) ? 256U : 100U, 65, true, true}, type);
            choose(made, *variant);
            auto launches = made.launches();
            REQUIRE(launches.size() == 1);
            kernels::Launch &launch = launches.front();
            launch.constants = kernels::constants_of(tile);
            launch.groups[1] /* of tokens; the segment table counts tiles of 64 rows */ =
                (65 + tile.tile_tokens - 1) / tile.tile_tokens;
            made.scene.run(launches);
            if (first.empty()) first = made.results(made.out);
            CHECK(made.results(made.out) == first);
        }
    }
}

TEST_CASE("matmul: few tokens give the same bits beside others and alone, whatever a workgroup has") {
    for (const kernels::Variant *variant : every_variant("matmul_few")) {
        CAPTURE(variant->name);
        const kernels::WeightType type = weight_type(*variant);
        if (kernels::is_block(type) && type != kernels::WeightType::q8_0 && type != kernels::WeightType::q4_k) continue;
        std::vector<float> first;
        struct Workgroup {
            std::uint32_t rows, tokens; // rows: of a team at once
        };
        for (const Workgroup size : {Workgroup{4, 8}, {8, 8}, {2, 4}, {4, 2}, {3, 1}}) {
            if (kernels::is_block(type) && size.rows == 2) continue; // compiling these takes long
            CAPTURE(size.tokens);
            Case made = make_case({77, kernels::is_block(type) ? 256U : 100U, 7, true, true, 8}, type);
            choose(made, *variant);
            auto launches = made.launches();
            REQUIRE(launches.size() == 1);
            kernels::Launch &launch = launches.front();
            force_constant(launch, shader::kSpecRows, size.rows);
            force_constant(launch, shader::kSpecFewTokens, size.tokens);
            launch.groups[1] = (7 + size.tokens - 1) / size.tokens;
            made.scene.run(launches);
            if (first.empty()) first = made.results(made.out);
            CHECK(made.results(made.out) == first);
        }
    }
}

TEST_CASE("matmul split by rows gives the same bits") {
    for (const kernels::Variant *variant : runnable_variants("matmul")) {
        CAPTURE(variant->name);
        Case whole = make_case({130, 100, 9, true, true}, weight_type(*variant));
        choose(whole, *variant);
        whole.scene.run(whole.launches());
        Case split = make_case({130, 100, 9, true, true}, weight_type(*variant));
        choose(split, *variant);
        split.scene.traits.max_storage_buffer_range = 48 * split.matrix.row_bytes();
        const auto launches = split.launches();
        CHECK(launches.size() >= 3);
        split.scene.run(launches);
        CHECK(split.results(split.out) == whole.results(whole.out));
    }
}

TEST_CASE("matmul: inputs beyond float16 disturb no other row") {
    constexpr Shape kOrdinary{66, 100, 20, true, false};
    for (const kernels::Variant *variant : runnable_variants("matmul"))
        for (const double outlier : {1e5, 1e7}) {
            Shape shape = kOrdinary;
            shape.outlier = outlier;
            check(shape, *variant);
            std::vector<std::vector<float>> results;
            for (const Shape &each : {kOrdinary, shape}) {
                Case made = make_case(each, weight_type(*variant));
                choose(made, *variant);
                made.scene.run(made.launches());
                results.push_back(made.results(made.out));
            }
            for (std::size_t t = 0; t < shape.tokens; ++t)
                CHECK((row(results[0], shape.rows, t) == row(results[1], shape.rows, t)) == (t != 1));
        }
}

TEST_CASE("matmul: cooperative matrices of every shape that the device lists, in both sizes of tile") {
    bool found = false;
    for (const kernels::Variant *variant : runnable_variants("matmul")) {
        if (!variant->needs_coopmat) continue;
        CAPTURE(variant->name);
        for (const gpu::MatrixShape &shape : device()->traits().matrix_shapes) {
            CAPTURE(shape.rows);
            CAPTURE(shape.columns);
            CAPTURE(shape.depth);
            std::vector<float> first;
            for (const std::uint32_t tokens : {64U, 32U}) {
                CAPTURE(tokens);
                Case made = make_case({77, 100, 65, true, true}, weight_type(*variant));
                made.scene.traits.matrix_shapes = {shape};
                if (!kernels::runs_on(*variant, made.scene.traits)) continue; // no tile is made of it
                found = true;
                choose(made, *variant);
                auto launches = made.launches();
                REQUIRE(launches.size() == 1);
                kernels::Launch &launch = launches.front();
                const kernels::CoopmatTuning tuning = kernels::tune_coopmat(made.scene.traits, tokens).value();
                launch.constants = kernels::constants_of(tuning);
                launch.groups[1] = (65 + tuning.tile_tokens - 1) / tuning.tile_tokens;
                made.scene.run(launches);
                CHECK_CLOSE(made.results(made.out), made.want, kTolerance);
                if (first.empty()) first = made.results(made.out);
                CHECK(made.results(made.out) == first);
            }
        }
    }
    if (!found) MESSAGE("SKIPPED: this device has no cooperative matrices");
}
