// The launches of a wide step, which reads up to step.rows tokens at once, in runs: one of each session it serves.
// Vectors of scratch are arrays of rows here, and matrices are multiplied by all of them (matmul), each weight read once
// a tile of tokens.
#pragma once

#include "runtime/kernels/launches.h"

namespace ff::kernels {

// Of a wide step's header: its facts, its runs, and each row's token.
std::uint64_t wide_header_bytes();

Launch wide_begin(const StepBuffers &step, const gpu::BufferView &control);

// Normalised and token-shifted inputs, one array of rows for each mix.
struct WideMixArguments {
    std::int32_t layer;
    std::uint32_t width;
    Activation x;
    std::uint32_t norm_at; // parameters: LayerNorm weight, bias
    std::string norm_name;
    LayerState state;              // its view is empty where nothing is shifted
    std::uint64_t kept_offset = 0; // of the kept input in a slot: two copies
    std::string kept_name;
    bool writes_kept = true;
    bool answers = false;             // of the rows whose logits are wanted, in their order; nothing is shifted
    std::vector<std::uint32_t> mixes; // parameters: mu [C] each; one 0 where nothing is shifted
    std::vector<Activation> mixed;    // as many, evenly spaced
    std::vector<Activation> extra;    // added to mu, row by row; as many and evenly spaced, or none
};
Launch wide_mix(const StepBuffers &step, const WideMixArguments &arguments);

// out = activation(matrix * input) for every row; with `add`, out += gate * (matrix * input), no gate if it is empty.
// Few tokens at most are multiplied by matmul_few, which reads rows as a decode step does.
struct MatmulSegment {
    const Matrix *matrix;
    Activation input;
    ActivationKind activation;
    Activation result;
    bool add = false;
    Activation gate = {};
    std::uint32_t result_stride = 0; // floats from row to row; 0: the result is an array of the step's rows
};
struct MatmulArguments {
    std::int32_t layer;
    std::vector<MatmulSegment> segments; // one may not read what another writes
    gpu::BufferView out;                 // that holds the results; scratch if it is empty
    bool answers = false;                // of the rows whose logits are wanted; results go to their state slots' rows
};
Result<std::vector<Launch>> matmul(const StepBuffers &step, const MatmulArguments &arguments);

// The arguments of the decode step's kernels, with the low-rank ups multiplied beforehand.
struct WideUps7 {
    Activation w, a, v, g; // v is empty in layer 0
};
Result<Launch> wide_wkv7(const StepBuffers &step, const Wkv7Arguments &arguments, const WideUps7 &ups);
Result<Launch> wide_wkv6(const StepBuffers &step, const Wkv6Arguments &arguments, const Activation &up_w);
// y = r * wkv; the output matrix is multiplied afterwards.
Launch wide_wkv4(const StepBuffers &step, const Wkv4Arguments &arguments, const Activation &y);
std::vector<Launch> wide_deep_embed(const StepBuffers &step, const DeepEmbedArguments &arguments);

} // namespace ff::kernels
