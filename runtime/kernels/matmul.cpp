#include "runtime/kernels/matmul_shape.h"
#include "runtime/kernels/places.h"
#include "runtime/kernels/segments.h"
#include "runtime/kernels/tuning.h"
#include "runtime/kernels/wide.h"
#include "shaders/lib/interface.h"

#include <algorithm>

namespace ff::kernels {
namespace {

std::uint32_t activation_of(const MatmulSegment &segment) {
    return segment.add ? shader::kActivationAdd : static_cast<std::uint32_t>(segment.activation);
}

// Twelve words, as the shader reads them.
std::array<std::uint32_t, shader::kWideSegmentWords> words_of(const StepBuffers &step, const gpu::BufferView &out,
                                                              const MatmulSegment &segment, const SegmentPart &part,
                                                              std::uint32_t end_tile, bool plain) {
    const bool gated = segment.gate.view.bytes != 0;
    return {end_tile,
            static_cast<std::uint32_t>(part.offset / 16),
            part.rows,
            at_float(out, segment.result.view) + part.first_row,
            at16(step.scratch, segment.input.view),
            activation_of(segment),
            plain ? 1U : 0U,
            segment.matrix->groups(),
            segment.result_stride ? segment.result_stride : row_floats(step, segment.result),
            row_floats(step, segment.input) / 4,
            gated ? at_float(step.scratch, segment.gate.view) + part.first_row : shader::kNone,
            gated ? row_floats(step, segment.gate) : 0};
}

// Whether products of 16-bit weights, tiles of which are float16, would round what float32 stands beside these.
bool rounds(const gpu::DeviceTraits &traits, std::span<const Matrix *const> matrices, std::uint32_t tokens) {
    return std::any_of(matrices.begin(), matrices.end(), [&](const Matrix *matrix) {
        return (matrix->type == WeightType::f16 || matrix->type == WeightType::bf16) &&
               !multiplies_as_few(traits, matrix->type, tokens) && variant_for("matmul", matrix->type, traits).needs_coopmat;
    });
}

} // namespace

bool multiplies_as_few(const gpu::DeviceTraits &traits, WeightType type, std::uint32_t tokens) {
    const bool few = is_usable("matmul_few", type, traits), tiled = is_usable("matmul", type, traits);
    return few != tiled ? few : tokens <= kFewTokens;
}

MatmulShape matmul_few_shape(const StepBuffers &step, WeightType type, std::span<const Matrix *const> matrices,
                             std::uint32_t tokens) {
    const Variant &variant = variant_for("matmul_few", type, *step.traits);
    const FewTuning tuning = tune_few(*step.traits, variant, matrices, tokens);
    return {&variant, tuning.group_rows, tuning.tokens, constants_of(tuning), tuning.subgroup_size};
}

MatmulShape matmul_tile_shape(const StepBuffers &step, WeightType type, std::uint32_t tokens) {
    const Variant &variant = variant_for("matmul", type, *step.traits);
    if (variant.needs_coopmat) {
        const CoopmatTuning tuning = tune_coopmat(*step.traits, tokens).value();
        return {&variant, tuning.tile_rows, tuning.tile_tokens, constants_of(tuning),
                step.traits->subgroup_size_control ? tuning.subgroup_size : 0};
    }
    const MatmulTuning tuning = tune_matmul(*step.traits, variant, tokens);
    return {&variant, tuning.tile_rows, tuning.tile_tokens, constants_of(tuning), 0, tuning.origin};
}

Result<std::vector<Launch>> matmul(const StepBuffers &step, const MatmulArguments &a) {
    const gpu::BufferView out = a.out.bytes != 0 ? a.out : step.scratch;
    const std::uint32_t tokens = a.answers ? step.runs : step.rows;
    std::vector<const Matrix *> all;
    for (const MatmulSegment &segment : a.segments) all.push_back(segment.matrix);
    std::vector<Launch> launches;
    for (const SegmentBatch &batch : batches_of(all, !rounds(*step.traits, all, tokens))) {
        std::vector<const Matrix *> matrices;
        for (const std::size_t segment : batch.segments) matrices.push_back(all[segment]);
        const MatmulShape shape = multiplies_as_few(*step.traits, batch.type, tokens)
                                      ? matmul_few_shape(step, batch.type, matrices, tokens)
                                      : matmul_tile_shape(step, batch.type, tokens);
        for (const SegmentLaunch &packed : pack_segments(matrices, *step.traits)) {
            Launch launch;
            launch.variant = shape.variant;
            launch.layer = a.layer;
            launch.constants = shape.constants;
            launch.subgroup_size = shape.subgroup_size;
            launch.tuning = shape.origin;
            add_plain_type(batch, all, launch.constants);
            launch.uses = {{"step", step.header(), gpu::Access::read}};
            std::vector<std::uint32_t> table;
            std::uint32_t end_tile = 0;
            for (const SegmentPart &part : packed.parts) {
                const MatmulSegment &segment = a.segments[batch.segments[part.segment]];
                const bool plain = segment.matrix->type != batch.type;
                end_tile += (part.rows + shape.rows - 1) / shape.rows;
                const auto words = words_of(step, out, segment, part, end_tile, plain);
                table.insert(table.end(), words.begin(), words.end());
                const std::uint64_t bytes = part.rows * segment.matrix->row_bytes();
                launch.bytes += bytes;
                launch.uses.push_back(
                    {segment.matrix->name, packed.binding.slice(part.offset, bytes), gpu::Access::read});
                launch.uses.push_back({segment.input.name, segment.input.view, gpu::Access::read});
                launch.uses.push_back({segment.result.name, segment.result.view,
                                       segment.add ? gpu::Access::read_write : gpu::Access::write});
                if (segment.gate.view.bytes != 0)
                    launch.uses.push_back({segment.gate.name, segment.gate.view, gpu::Access::read});
            }
            launch.groups = {end_tile, (tokens + shape.tokens - 1) / shape.tokens, 1};
            FF_TRY_ASSIGN(const std::uint32_t segments_at,
                          step.tables->append(std::span<const std::uint32_t>(table)));
            launch.buffers = {packed.binding, step.tables->view(), step.scratch, out};
            launch.set_params(shader::MatmulParams{.segments_at = segments_at, .answers = a.answers ? 1U : 0U}, step.scratch);
            launches.push_back(std::move(launch));
        }
    }
    if (launches.size() > 1) {
        // They write different rows, but synchronization validation sees bindings: let each claim every result.
        for (Launch &launch : launches)
            for (const MatmulSegment &segment : a.segments)
                launch.uses.push_back({segment.result.name, segment.result.view, gpu::Access::write});
    }
    return launches;
}

} // namespace ff::kernels
