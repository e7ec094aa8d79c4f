#include "runtime/kernels/matmul_shape.h"
#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "runtime/kernels/wide.h"
#include "shaders/lib/interface.h"

namespace ff::kernels {
namespace {

// Of the step's rows, what a part of the matrix adds to x.
struct Part {
    MatrixPart strips;
    std::uint32_t inputs, first_input;
};

Part part_of(const Matrix &matrix, const MatrixPart &strips) {
    const std::uint32_t each = block_elements(matrix.type);
    return {strips, strips.rows * each, strips.first_row * each};
}

Launch sparse_launch(const StepBuffers &step, const SparseValueArguments &a, const Part &part, const Variant &variant,
                     const SparseTuning &tuning) {
    const bool gated = a.gate.view.bytes != 0;
    const std::uint32_t outputs = 8 * tuning.lanes * tuning.lane_groups;
    Launch launch;
    launch.variant = &variant;
    launch.constants = constants_of(tuning);
    launch.groups = {(a.matrix->rows + outputs - 1) / outputs, (step.rows + tuning.tokens - 1) / tuning.tokens, 1};
    launch.buffers = {part.strips.view, step.scratch};
    launch.set_params(shader::SparseValueParams{
        .inputs = part.inputs,
        .outputs = a.matrix->rows,
        .in_at = at16(step.scratch, a.input.view) + part.first_input / 4,
        .in_stride = row_floats(step, a.input) / 4,
        .result = at_float(step.scratch, a.x.view),
        .result_stride = row_floats(step, a.x),
        .gate = gated ? at_float(step.scratch, a.gate.view) : shader::kNone,
        .gate_stride = gated ? row_floats(step, a.gate) : 0,
    });
    return launch;
}

// The tiled product, whose tiles of inputs are read for many tokens anyway.
Result<Launch> tiled_launch(const StepBuffers &step, const SparseValueArguments &a, const Part &part) {
    const MatmulShape shape = matmul_tile_shape(step, a.matrix->type, step.rows);
    const bool gated = a.gate.view.bytes != 0;
    Launch launch;
    launch.variant = shape.variant;
    launch.constants = shape.constants;
    launch.constants.push_back({shader::kSpecByInput, 1});
    launch.subgroup_size = shape.subgroup_size;
    launch.tuning = shape.origin;
    launch.groups = {(a.matrix->rows + shape.rows - 1) / shape.rows, (step.rows + shape.tokens - 1) / shape.tokens, 1};
    const std::array<std::uint32_t, shader::kWideSegmentWords> segment = {
        launch.groups[0],
        0,
        a.matrix->rows,
        at_float(step.scratch, a.x.view),
        at16(step.scratch, a.input.view) + part.first_input / 4,
        shader::kActivationAdd,
        0,
        part.inputs,
        row_floats(step, a.x),
        row_floats(step, a.input) / 4,
        gated ? at_float(step.scratch, a.gate.view) : shader::kNone,
        gated ? row_floats(step, a.gate) : 0};
    FF_TRY_ASSIGN(const std::uint32_t segments_at, step.tables->append(std::span<const std::uint32_t>(segment)));
    launch.buffers = {part.strips.view, step.tables->view(), step.scratch, step.scratch};
    launch.set_params(shader::MatmulParams{.segments_at = segments_at, .answers = 0});
    return launch;
}

} // namespace

Result<std::vector<Launch>> sparse_value(const StepBuffers &step, const SparseValueArguments &a) {
    std::vector<Launch> launches;
    const Variant &variant = variant_for("sparse_value", a.matrix->type, *step.traits);
    const bool few = step.rows <= kFewTokens, tiles = is_usable("matmul", a.matrix->type, *step.traits);
    for (const MatrixPart &strips : bindable_parts(*a.matrix, *step.traits)) {
        const Part part = part_of(*a.matrix, strips);
        const SparseTuning tuning = tune_sparse(*step.traits, variant, part.inputs, a.matrix->rows, step.rows);
        const bool sparse = !tiles || (few && !tuning.tiled);
        FF_TRY_ASSIGN(Launch launch, sparse ? sparse_launch(step, a, part, variant, tuning) : tiled_launch(step, a, part));
        if (few || sparse) launch.tuning = tuning.origin;
        launch.layer = a.layer;
        launch.bytes = strips.rows * a.matrix->row_bytes();
        launch.uses = {{"step", step.header(), gpu::Access::read},
                       {a.input.name, a.input.view, gpu::Access::read},
                       {a.matrix->name, strips.view, gpu::Access::read},
                       {a.x.name, a.x.view, gpu::Access::read_write}};
        if (a.gate.view.bytes != 0) launch.uses.push_back({a.gate.name, a.gate.view, gpu::Access::read});
        launches.push_back(std::move(launch));
    }
    return launches;
}

} // namespace ff::kernels
