#include "runtime/doctor/launch_reference.h"

#include "shaders/lib/interface.h"

#include <fmt/format.h>

namespace ff::doctor {
namespace {

using reference::Floats;
using reference::Vector;

struct Segment {
    kernels::WeightType type;
    std::uint32_t weights_at, rows, result, input;
    reference::Activation activation;
};
std::vector<Segment> segments(const kernels::Launch &launch, const Bound &parameters, std::uint32_t at) {
    std::vector<Segment> found;
    for (std::size_t s = 4ULL * at, end = 0; end < launch.groups[0]; s += shader::kSegmentWords) {
        end = std::max<std::size_t>(end + 1, parameters.word(s));
        found.push_back({segment_type(launch, parameters.word(s + 6) != 0),
                         parameters.word(s + 1), parameters.word(s + 2), parameters.word(s + 3), parameters.word(s + 4),
                         static_cast<reference::Activation>(parameters.word(s + 5))});
    }
    return found;
}

Expectations mix_project(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::MixProjectParams>();
    const Bound weights(bindings, 0), parameters(bindings, 1), scratch(bindings, 2),
        state(bindings, 3);
    const std::size_t slot = scratch.word(shader::kStepSlot), parity = scratch.word(shader::kStepParity),
                      row = 8ULL * p.groups;
    const std::size_t kept = 4ULL * (p.kept_at + slot * p.slot_stride);

    const Numbers x = scratch.at(p.x_at, p.width), norm = parameters.at(p.norm_at, row + p.width);
    const Vector normalised =
        reference::layer_norm(reference::widen(x), Floats(norm).first(p.width), Floats(norm).subspan(row));
    const Numbers previous = state.floats(kept + parity * row, p.width);

    Expectations expected;
    if (p.writes_kept) expected.push_back({"kept", state.view(kept + (1 - parity) * row, p.width), normalised});
    for (const Segment &segment : segments(launch, parameters, p.segments_at)) {
        const Numbers mix = parameters.at(segment.input, p.width);
        expected.push_back(
            {"result", scratch.view(segment.result, segment.rows),
             reference::mix_project(weights.matrix(segment.type, segment.weights_at, segment.rows, p.width),
                                    reference::token_shift(normalised, previous, mix), segment.activation)});
    }
    return expected;
}

Expectations project(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::ProjectParams>();
    const Bound weights(bindings, 0), parameters(bindings, 1), scratch(bindings, 2);
    const std::uint32_t columns = 8 * p.groups; // padding is zero on both sides
    Expectations expected;
    for (const Segment &segment : segments(launch, parameters, p.segments_at))
        expected.push_back(
            {"result", scratch.view(segment.result, segment.rows),
             reference::mix_project(weights.matrix(segment.type, segment.weights_at, segment.rows, columns),
                                    reference::widen(scratch.at(segment.input, columns)), segment.activation)});
    return expected;
}

Expectations head(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::HeadParams>();
    const Bound weights(bindings, 0), parameters(bindings, 1), scratch(bindings, 2),
        logits(bindings, 3);
    if (scratch.word(shader::kStepLogits) == 0) return {};
    const Numbers x = scratch.at(p.x_at, p.width), norm = parameters.at(p.norm_at, 8ULL * p.groups + p.width);
    const std::size_t first = std::size_t{scratch.word(shader::kStepSlot)} * p.vocabulary + p.first_row;
    return {{"logits", logits.view(first, p.rows),
             reference::head(weights.matrix(weight_type(launch), 0, p.rows, p.width), x,
                             Floats(norm).first(p.width), Floats(norm).subspan(8ULL * p.groups))}};
}

Expectations project_add(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::ProjectAddParams>();
    const Bound weights(bindings, 0), scratch(bindings, 1);
    const std::uint32_t columns = 8 * p.groups; // padding is zero on both sides
    const Numbers gate = p.gate == shader::kNone ? Numbers{} : scratch.floats(p.gate, p.rows);
    return {{"x", scratch.view(p.result, p.rows),
             reference::project_add(scratch.floats(p.result, p.rows),
                                    weights.matrix(weight_type(launch), 0, p.rows, columns),
                                    scratch.at(p.in_at, columns), gate)}};
}

Expectations sparse_value(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::SparseValueParams>();
    const Bound weights(bindings, 0), scratch(bindings, 1);
    static_assert(shader::kStepRun == shader::kWideRows); // one of a decode step that runs
    const Numbers matrix = weights.strips(weight_type(launch), p.outputs, p.inputs);
    Expectations expected;
    for (std::size_t t = 0; t < scratch.word(shader::kWideRows); ++t) {
        const std::size_t result = p.result + t * p.result_stride;
        const Numbers gate = p.gate == shader::kNone ? Numbers{} : scratch.floats(p.gate + t * p.gate_stride, p.outputs);
        expected.push_back({"x", scratch.view(result, p.outputs),
                            reference::project_add(scratch.floats(result, p.outputs), matrix,
                                                   scratch.floats(4 * (p.in_at + t * p.in_stride), p.inputs), gate)});
    }
    return expected;
}

Expectations wkv4(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::Wkv4Params>();
    const Bound weights(bindings, 0), parameters(bindings, 1), scratch(bindings, 2),
        state(bindings, 3);
    const std::size_t row = 8ULL * p.groups, parity = scratch.word(shader::kStepParity);
    const std::size_t slot = 4ULL * (p.wkv_at + std::size_t{scratch.word(shader::kStepSlot)} * p.slot_stride);
    const std::size_t old_copy = slot + parity * 3 * row, new_copy = slot + (1 - parity) * 3 * row;
    reference::Wkv4State s{reference::widen(state.floats(old_copy, p.width)),
                           reference::widen(state.floats(old_copy + row, p.width)),
                           reference::widen(state.floats(old_copy + 2 * row, p.width))};
    const Vector y =
        reference::wkv4(scratch.at(p.r_at, p.width), scratch.at(p.k_at, p.width), scratch.at(p.v_at, p.width),
                        parameters.at(p.decay_at, p.width), parameters.floats(4ULL * p.decay_at + row, p.width), s);
    Vector x = reference::multiply(weights.matrix(weight_type(launch), 0, p.rows, p.width), y);
    const Numbers before = scratch.floats(p.result, p.rows);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] += double{before[i]};
    Expectations expected = {{"x", scratch.view(p.result, p.rows), x}};
    if (p.writes_state) {
        expected.push_back({"aa", state.view(new_copy, p.width), s.aa});
        expected.push_back({"bb", state.view(new_copy + row, p.width), s.bb});
        expected.push_back({"pp", state.view(new_copy + 2 * row, p.width), s.pp});
    }
    return expected;
}

// [C, rank] as the device keeps low-rank matrices, back to [rank, C] as checkpoints do.
Numbers turned(const Numbers &matrix, std::size_t rows, std::size_t columns) {
    Numbers out(matrix.size());
    for (std::size_t r = 0; r < rows; ++r)
        for (std::size_t c = 0; c < columns; ++c) out[c * rows + r] = matrix[r * columns + c];
    return out;
}

Expectations wkv7(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::Wkv7Params>();
    const kernels::WeightType type = weight_type(launch);
    const Bound weights(bindings, 0), parameters(bindings, 1), scratch(bindings, 2),
        state(bindings, 3);
    const std::uint32_t size = constant(launch, shader::kSpecHeadSize);
    const std::size_t heads = launch.groups[0], width = heads * size;
    const auto vector = [&](std::uint32_t which) {
        return parameters.at(p.vectors_at + which * p.vector_stride, width);
    };
    const auto up = [&](std::uint32_t at, std::uint32_t rank) {
        return turned(weights.matrix(type, at, width, 8 * rank), width, 8 * rank);
    };
    const auto low = [&](std::uint32_t at, std::uint32_t rank) { return scratch.at(at, 8 * rank); };

    const Numbers r = scratch.at(p.r_at, width), k = scratch.at(p.k_at, width), v = scratch.at(p.v_at, width);
    const Numbers v_first = p.first_layer ? Numbers{} : scratch.at(p.v_first_at, width);
    const Numbers low_w = low(p.low_w_at, p.rank_w), low_a = low(p.low_a_at, p.rank_a),
                  low_v = low(p.low_v_at, p.rank_v), low_g = low(p.low_g_at, p.rank_g);
    const Numbers w2 = up(p.up_w_at, p.rank_w), a2 = up(p.up_a_at, p.rank_a), v2 = up(p.up_v_at, p.rank_v),
                  g2 = up(p.up_g_at, p.rank_g);
    const Numbers w0 = vector(0), a0 = vector(1), v0 = vector(2), k_k = vector(3), k_a = vector(4), r_k = vector(5),
                  ln_weight = vector(6), ln_bias = vector(7);
    const std::size_t wkv = 4ULL * (p.wkv_at + std::size_t{scratch.word(shader::kStepSlot)} * p.slot_stride);
    Vector s = reference::widen(state.floats(wkv, width * size));
    const Vector y = reference::wkv7({heads, size, r,  k,  v,  v_first, low_w, low_a, low_v, low_g,     w2,
                                      a2,    v2,   g2, w0, a0, v0,      k_k,   k_a,   r_k,   ln_weight, ln_bias},
                                     s);
    Expectations expected = {{"y", scratch.view(4ULL * p.y_at, width), y},
                                         {"wkv", state.view(wkv, width * size), s}};
    if (p.first_layer) expected.push_back({"v_first", scratch.view(4ULL * p.v_first_at, width), reference::widen(v)});
    return expected;
}

Expectations wkv6(const kernels::Launch &launch, const Bindings &bindings, bool data_dependent) {
    const auto p = launch.params<shader::Wkv6Params>();
    const std::size_t first = data_dependent ? 1 : 0;
    const Bound parameters(bindings, first), scratch(bindings, first + 1), state(bindings, first + 2);
    const std::uint32_t size = constant(launch, shader::kSpecHeadSize), heads = launch.groups[0], width = heads * size;
    const auto vector = [&](std::uint32_t which) {
        return parameters.at(p.vectors_at + which * p.vector_stride, width);
    };
    const Numbers r = scratch.at(p.r_at, width), k = scratch.at(p.k_at, width), v = scratch.at(p.v_at, width);
    const Numbers gate = p.gate_at == shader::kNone ? Numbers{} : scratch.at(p.gate_at, width);
    const Numbers decay = vector(0), bonus = vector(1), ln_weight = vector(2), ln_bias = vector(3);
    Vector w = reference::widen(decay);
    if (data_dependent) {
        const std::uint32_t rank = 8 * p.rank_w;
        const Numbers up =
            turned(Bound(bindings, 0).matrix(weight_type(launch), p.up_w_at, width, rank), width, rank);
        w = reference::decay6(decay, scratch.at(p.low_w_at, rank), up);
    }
    const std::size_t wkv = 4ULL * (p.wkv_at + std::size_t{scratch.word(shader::kStepSlot)} * p.slot_stride);
    Vector s = turned_state(reference::widen(state.floats(wkv, std::size_t{width} * size)), heads, size);
    const Vector y = reference::wkv6({heads, size, r, k, v, gate, bonus, ln_weight, ln_bias}, w, s);
    return {{"y", scratch.view(4ULL * p.y_at, width), y},
            {"wkv", state.view(wkv, std::size_t{width} * size), turned_state(s, heads, size)}};
}

Expectations lerp6(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::Lerp6Params>();
    const Bound weights(bindings, 0), parameters(bindings, 1), scratch(bindings, 2),
        state(bindings, 3);
    const std::size_t row = 8ULL * p.groups, parity = scratch.word(shader::kStepParity);
    const Numbers norm = parameters.at(p.norm_at, row + p.width);
    const Vector normalised = reference::layer_norm(reference::widen(scratch.at(p.x_at, p.width)),
                                                    Floats(norm).first(p.width), Floats(norm).subspan(row));
    const Numbers previous = state.floats(
        4ULL * (p.kept_at + std::size_t{scratch.word(shader::kStepSlot)} * p.slot_stride) + parity * row, p.width);
    const std::uint32_t rank = 8 * p.rank;
    const Numbers ups = weights.matrix(weight_type(launch), 0, 5ULL * p.width, rank);
    Expectations expected;
    for (std::size_t c = 0; c < 5; ++c) {
        const Numbers own(ups.begin() + static_cast<std::ptrdiff_t>(c * p.width * rank),
                          ups.begin() + static_cast<std::ptrdiff_t>((c + 1) * p.width * rank));
        expected.push_back(
            {"mixed", scratch.view(4ULL * (p.mixed_at + c * p.mixed_stride), p.width),
             reference::lerp6(normalised, previous, parameters.floats(4ULL * p.mixes_at + c * row, p.width),
                              scratch.floats(4ULL * p.low_at + c * p.low_stride, rank), turned(own, p.width, rank))});
    }
    return expected;
}

} // namespace

Vector turned_state(const Vector &state, std::size_t heads, std::size_t size) {
    Vector out(state.size());
    for (std::size_t h = 0; h < heads; ++h)
        for (std::size_t i = 0; i < size; ++i)
            for (std::size_t j = 0; j < size; ++j) out[(h * size + j) * size + i] = state[(h * size + i) * size + j];
    return out;
}

kernels::WeightType segment_type(const kernels::Launch &launch, bool plain) {
    constexpr kernels::WeightType kPlain[] = {kernels::WeightType::f32, kernels::WeightType::f16,
                                              kernels::WeightType::bf16};
    return plain ? kPlain[constant(launch, shader::kSpecPlainType)] : weight_type(launch);
}

Result<Expectations> expectations(const kernels::Launch &launch, const Bindings &bindings) {
    using Function = Expectations (*)(const kernels::Launch &, const Bindings &);
    static constexpr std::pair<std::string_view, Function> kKernels[] = {
        {"embed", expect_embed},
        {"mix_project", mix_project},
        {"head", head},
        {"project_add", project_add},
        {"sparse_value", sparse_value},
        {"wkv4_project_add", wkv4},
        {"wkv7", wkv7},
        {"wkv6", [](const auto &l, const auto &b) { return wkv6(l, b, true); }},
        {"wkv5", [](const auto &l, const auto &b) { return wkv6(l, b, false); }},
        {"lerp6", lerp6},
        {"project", project},
        {"deep_embed", expect_deep_embed},
        {"sample", expect_sample},
        {"wide_begin", expect_wide_begin},
        {"wide_embed", expect_embed},
        {"wide_mix", expect_wide_mix},
        {"matmul", expect_matmul},
        {"matmul_few", expect_matmul},
        {"wide_wkv7", expect_wide_wkv},
        {"wide_wkv6", expect_wide_wkv},
        {"wide_wkv4", expect_wide_wkv},
        {"wide_deep_embed", expect_deep_embed},
        {"wide_sample", expect_sample},
    };
    const auto found = std::ranges::find(kKernels, launch.variant->kernel, &std::pair<std::string_view, Function>::first);
    if (found == std::end(kKernels))
        return Error{Status::internal, fmt::format("there is no reference for {}", kernels::full_name(*launch.variant))};
    try {
        return found->second(launch, bindings);
    } catch (const OutsideBinding &) {
        return Error{Status::internal, fmt::format("{}: its parameters, or what stands in its buffers, point outside its bindings",
                                                   kernels::full_name(*launch.variant))};
    }
}

} // namespace ff::doctor
