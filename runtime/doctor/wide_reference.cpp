// The layers of a wide step, row by row.
#include "runtime/doctor/launch_reference.h"
#include "shaders/lib/interface.h"

namespace ff::doctor {
namespace {

using reference::Floats;
using reference::Vector;

struct Run {
    std::size_t slot, parity, first, rows;
};
std::vector<Run> runs_of(const Bound &scratch) {
    std::vector<Run> runs;
    for (std::size_t i = 0; i < scratch.word(shader::kWideRuns); ++i) {
        const std::size_t at = shader::kWideRunsAt + i * shader::kRunWords;
        runs.push_back({scratch.word(at + shader::kRunSlot), scratch.word(at + shader::kRunParity),
                        scratch.word(at + shader::kRunFirst), scratch.word(at + shader::kRunRows)});
    }
    return runs;
}

constexpr float kOne[] = {1.0F}; // times an up that was multiplied beforehand

} // namespace

Expectations expect_wide_mix(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::WideMixParams>();
    const Bound parameters(bindings, shader::kWideMixParams), scratch(bindings, shader::kWideMixScratch),
        state(bindings, shader::kWideMixState);
    const std::size_t row = 8ULL * p.groups;
    const Numbers norm = parameters.at(p.norm_at, row + p.width);
    const auto normalised = [&](std::size_t t) {
        return reference::layer_norm(reference::widen(scratch.floats(4ULL * p.x_at + t * row, p.width)),
                                     Floats(norm).first(p.width), Floats(norm).subspan(row));
    };
    Expectations expected;
    const auto expect_mixed = [&](std::size_t t, std::size_t m, Vector values) {
        expected.push_back({"mixed", scratch.view(4 * (p.mixed_at + m * p.mixed_stride) + t * row, p.width), std::move(values)});
    };
    if (p.answers != 0) {
        for (std::size_t i = 0; i < scratch.word(shader::kWideAnswers); ++i)
            expect_mixed(i, 0, normalised(scratch.word(shader::kWideAnswersAt + 2 * i)));
        return expected;
    }
    if (p.kept_at == shader::kNone) {
        for (std::size_t t = 0; t < scratch.word(shader::kWideRows); ++t) expect_mixed(t, 0, normalised(t));
        return expected;
    }
    for (const Run &run : runs_of(scratch)) {
        const std::size_t kept = 4 * (p.kept_at + run.slot * p.slot_stride);
        Vector previous = reference::widen(state.floats(kept + run.parity * row, p.width));
        for (std::size_t t = run.first; t < run.first + run.rows; ++t) {
            const Vector n = normalised(t);
            for (std::size_t m = 0; m < p.mixes; ++m) {
                const Numbers mu = parameters.at(p.mix_at[m], p.width);
                const Numbers extra = p.extra_at == shader::kNone
                                          ? Numbers(p.width, 0.0F)
                                          : scratch.floats(4 * (p.extra_at + m * p.extra_stride) + t * row, p.width);
                Vector mixed(p.width);
                for (std::size_t i = 0; i < p.width; ++i)
                    mixed[i] = n[i] + (previous[i] - n[i]) * (double{mu[i]} + double{extra[i]});
                expect_mixed(t, m, std::move(mixed));
            }
            previous = n;
        }
        if (p.writes_kept != 0 && run.rows != 0)
            expected.push_back({"kept", state.view(kept + (1 - run.parity) * row, p.width), previous});
    }
    return expected;
}

Expectations expect_matmul(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::MatmulParams>();
    const Bound weights(bindings, shader::kMatmulWeights), table(bindings, shader::kMatmulParams),
        scratch(bindings, shader::kMatmulScratch), out(bindings, shader::kMatmulOut);
    const bool by_input = constant(launch, shader::kSpecByInput) != 0;
    const std::size_t tokens = scratch.word(p.answers != 0 ? shader::kWideAnswers : shader::kWideRows);
    Expectations expected;
    for (std::size_t s = 4ULL * p.segments_at, end = 0; end < launch.groups[0]; s += shader::kWideSegmentWords) {
        end = std::max<std::size_t>(end + 1, table.word(s));
        const std::size_t rows = table.word(s + 2), result = table.word(s + 3), input_at = table.word(s + 4),
                          result_stride = table.word(s + 8), input_stride = table.word(s + 9), gate_at = table.word(s + 10),
                          gate_stride = table.word(s + 11);
        const std::uint32_t activation = table.word(s + 5), groups = table.word(s + 7);
        const kernels::WeightType type = segment_type(launch, table.word(s + 6) != 0);
        const std::uint32_t columns = by_input ? groups : 8 * groups; // padding is zero on both sides
        const Numbers matrix = by_input ? weights.strips(type, static_cast<std::uint32_t>(rows), columns)
                                        : weights.matrix(type, table.word(s + 1), rows, columns);
        for (std::size_t t = 0; t < tokens; ++t) {
            const std::size_t at =
                result + result_stride * (p.answers != 0 ? scratch.word(shader::kWideAnswersAt + 2 * t + 1) : t);
            const Numbers input = scratch.floats(4 * (input_at + t * input_stride), columns);
            Vector values;
            if (activation == shader::kActivationAdd) {
                const Numbers gate =
                    gate_at == shader::kNone ? Numbers{} : scratch.floats(gate_at + t * gate_stride, rows);
                values = reference::project_add(out.floats(at, rows), matrix, input, gate);
            } else {
                values = reference::mix_project(matrix, reference::widen(input),
                                                static_cast<reference::Activation>(activation));
            }
            expected.push_back({"result", out.view(at, rows), std::move(values)});
        }
    }
    return expected;
}

namespace {

Expectations expect_wkv7(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::WideWkv7Params>();
    const Bound parameters(bindings, shader::kWideWkvParams), scratch(bindings, shader::kWideWkvScratch),
        state(bindings, shader::kWideWkvState);
    const std::size_t size = constant(launch, shader::kSpecHeadSize), heads = launch.groups[0], width = heads * size;
    const auto vector = [&](std::uint32_t which) { return parameters.at(p.vectors_at + which * p.vector_stride, width); };
    const Numbers w0 = vector(0), a0 = vector(1), v0 = vector(2), k_k = vector(3), k_a = vector(4), r_k = vector(5),
                  ln_weight = vector(6), ln_bias = vector(7);
    Expectations expected;
    for (const Run &run : runs_of(scratch)) {
        if (run.rows == 0) continue;
        const std::size_t wkv = 4 * (p.wkv_at + run.slot * p.slot_stride);
        Vector s = reference::widen(state.floats(wkv, width * size));
        for (std::size_t t = run.first; t < run.first + run.rows; ++t) {
            const auto row = [&](std::uint32_t at) { return scratch.floats(4ULL * at + t * p.stride, width); };
            const Numbers r = row(p.r_at), k = row(p.k_at), v = row(p.v_at), up_w = row(p.up_w_at), up_a = row(p.up_a_at),
                          up_g = row(p.up_g_at), v_first = p.first_layer ? Numbers{} : row(p.v_first_at),
                          up_v = p.first_layer ? Numbers{} : row(p.up_v_at);
            const Floats low_v = p.first_layer ? Floats{} : Floats(kOne);
            const Vector y =
                reference::wkv7({heads, size, r,    k,    v,    v_first, kOne, kOne, low_v, kOne,      up_w,
                                 up_a,  up_v, up_g, w0,   a0,   v0,      k_k,  k_a,  r_k,   ln_weight, ln_bias},
                                s);
            expected.push_back({"y", scratch.view(4ULL * p.y_at + t * p.stride, width), y});
            if (p.first_layer)
                expected.push_back({"v_first", scratch.view(4ULL * p.v_first_at + t * p.stride, width), reference::widen(v)});
        }
        expected.push_back({"wkv", state.view(wkv, width * size), s});
    }
    return expected;
}

Expectations expect_wkv6(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::WideWkv6Params>();
    const Bound parameters(bindings, shader::kWideWkvParams), scratch(bindings, shader::kWideWkvScratch),
        state(bindings, shader::kWideWkvState);
    const std::size_t size = constant(launch, shader::kSpecHeadSize), heads = launch.groups[0], width = heads * size;
    const auto vector = [&](std::uint32_t which) { return parameters.at(p.vectors_at + which * p.vector_stride, width); };
    const Numbers decay = vector(0), bonus = vector(1), ln_weight = vector(2), ln_bias = vector(3);
    Expectations expected;
    for (const Run &run : runs_of(scratch)) {
        if (run.rows == 0) continue;
        const std::size_t wkv = 4 * (p.wkv_at + run.slot * p.slot_stride);
        Vector s = turned_state(reference::widen(state.floats(wkv, width * size)), heads, size);
        for (std::size_t t = run.first; t < run.first + run.rows; ++t) {
            const auto row = [&](std::uint32_t at) {
                return at == shader::kNone ? Numbers{} : scratch.floats(4ULL * at + t * p.stride, width);
            };
            const Numbers r = row(p.r_at), k = row(p.k_at), v = row(p.v_at), gate = row(p.gate_at), up = row(p.up_w_at);
            const Vector w = up.empty() ? reference::widen(decay) : reference::decay6(decay, kOne, up);
            const Vector y = reference::wkv6({heads, size, r, k, v, gate, bonus, ln_weight, ln_bias}, w, s);
            expected.push_back({"y", scratch.view(4ULL * p.y_at + t * p.stride, width), y});
        }
        expected.push_back({"wkv", state.view(wkv, width * size), turned_state(s, heads, size)});
    }
    return expected;
}

Expectations expect_wkv4(const kernels::Launch &launch, const Bindings &bindings) {
    const auto p = launch.params<shader::WideWkv4Params>();
    const Bound parameters(bindings, shader::kWideWkvParams), scratch(bindings, shader::kWideWkvScratch),
        state(bindings, shader::kWideWkvState);
    const Numbers decay = parameters.at(p.decay_at, p.width),
                  first = parameters.floats(4ULL * p.decay_at + p.vector_stride, p.width);
    Expectations expected;
    for (const Run &run : runs_of(scratch)) {
        if (run.rows == 0) continue;
        const std::size_t slot = 4 * (p.wkv_at + run.slot * p.slot_stride), copy = 3ULL * p.vector_stride;
        const auto old = [&](std::size_t which) {
            return reference::widen(state.floats(slot + run.parity * copy + which * p.vector_stride, p.width));
        };
        reference::Wkv4State s{old(0), old(1), old(2)};
        for (std::size_t t = run.first; t < run.first + run.rows; ++t) {
            const auto row = [&](std::uint32_t at) { return scratch.floats(4ULL * at + t * p.stride, p.width); };
            const Numbers r = row(p.r_at), k = row(p.k_at), v = row(p.v_at);
            expected.push_back({"y", scratch.view(4ULL * p.y_at + t * p.stride, p.width),
                                reference::wkv4(r, k, v, decay, first, s)});
        }
        const std::size_t now = slot + (1 - run.parity) * copy;
        expected.push_back({"aa", state.view(now, p.width), s.aa});
        expected.push_back({"bb", state.view(now + p.vector_stride, p.width), s.bb});
        expected.push_back({"pp", state.view(now + 2ULL * p.vector_stride, p.width), s.pp});
    }
    return expected;
}

} // namespace

Expectations expect_wide_wkv(const kernels::Launch &launch, const Bindings &bindings) {
    if (launch.variant->kernel == "wide_wkv7") return expect_wkv7(launch, bindings);
    return launch.variant->kernel == "wide_wkv6" ? expect_wkv6(launch, bindings) : expect_wkv4(launch, bindings);
}

Expectations expect_deep_embed(const kernels::Launch &launch, const Bindings &bindings) {
    const Bound weights(bindings, shader::kDeepEmbedWeights), parameters(bindings, shader::kDeepEmbedParams),
        scratch(bindings, shader::kDeepEmbedScratch);
    shader::WideDeepEmbedParams p{}; // what a decode step's has too, with strides of 0
    std::vector<std::uint32_t> tokens;
    if (launch.variant->kernel == "deep_embed") {
        const auto one = launch.params<shader::DeepEmbedParams>();
        p.first_row = one.first_row, p.rows = one.rows, p.rank = one.rank, p.low_at = one.low_at;
        p.matrix_at = one.matrix_at, p.up_at = one.up_at, p.up_stride = one.up_stride, p.bias_at = one.bias_at;
        p.h_at = one.h_at, p.width = one.width;
        tokens = {scratch.word(shader::kStepToken)};
    } else {
        p = launch.params<shader::WideDeepEmbedParams>();
        for (std::size_t t = 0; t < scratch.word(shader::kWideRows); ++t)
            tokens.push_back(scratch.word(shader::kWideRowsAt + 2 * t));
    }
    const std::uint32_t square = p.rank * p.rank;
    const Numbers table = weights.matrix(weight_type(launch), 0, p.rows, square), bias = parameters.at(p.bias_at, p.width);
    Numbers up;
    for (std::uint32_t i = 0; i < p.rank; ++i) {
        const Numbers row = parameters.at(p.up_at + i * p.up_stride, p.width);
        up.insert(up.end(), row.begin(), row.end());
    }
    Expectations expected;
    for (std::size_t t = 0; t < tokens.size(); ++t) {
        const std::uint32_t token = tokens[t] - p.first_row; // wraps where the row is in an earlier part
        if (token >= p.rows) continue;
        Vector matrix = reference::widen(scratch.floats(4 * (p.matrix_at + t * p.matrix_stride), square));
        for (std::size_t i = 0; i < square; ++i) matrix[i] += double{table[std::size_t{token} * square + i]};
        const std::size_t h = 4 * (p.h_at + t * p.h_stride);
        expected.push_back({"h", scratch.view(h, p.width),
                            reference::deep_embed(scratch.floats(h, p.width),
                                                  scratch.floats(4 * (p.low_at + t * p.low_stride), p.rank), matrix, up,
                                                  bias)});
    }
    return expected;
}

} // namespace ff::doctor
