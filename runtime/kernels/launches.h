// The launches a decode step is made of, one function a kernel; each shader's head says what it computes. A function
// returns several launches where a matrix is larger than the device lets one binding be.
#pragma once

#include "runtime/kernels/step.h"

namespace ff::kernels {

enum class ActivationKind : std::uint32_t { none, sigmoid, tanh, relu_squared, silu };

struct EmbedArguments {
    const Variant *variant;
    const Matrix *table;   // emb.weight [V, C]
    std::uint32_t norm_at; // parameters: ln0 weight, bias
    Activation x;
    gpu::BufferView control;
};
// Of a wide step, with a variant of wide_embed, the x of every row.
std::vector<Launch> embed(const StepBuffers &step, const EmbedArguments &arguments);

// One matrix of a mix_project launch: result = activation(matrix * mixed input).
struct MixSegment {
    const Matrix *matrix;
    std::uint32_t mix_at; // parameters: mu [C], the weight of the previous token
    ActivationKind activation;
    Activation result;
};
struct MixProjectArguments {
    const Variant *variant;
    std::int32_t layer;
    Activation x;
    std::uint32_t norm_at; // parameters: LayerNorm weight, bias
    std::string norm_name;
    LayerState state;
    std::uint64_t kept_offset;        // of the kept input in a slot: two copies
    std::string kept_name;            // "att_x" or "ffn_x"
    std::vector<MixSegment> segments; // matrices of one type and width
};
Result<std::vector<Launch>> mix_project(const StepBuffers &step, const MixProjectArguments &arguments);

struct HeadArguments {
    const Variant *variant;
    const Matrix *head;    // head.weight [V, C]
    std::uint32_t norm_at; // parameters: ln_out weight, bias
    Activation x;
    gpu::BufferView logits; // [S, V]
    std::uint64_t most_bytes = ~std::uint64_t{0}; // of weights that a launch reads
};
std::vector<Launch> head(const StepBuffers &step, const HeadArguments &arguments);

struct ProjectAddArguments {
    const Variant *variant;
    std::int32_t layer;
    const Matrix *matrix;
    Activation input;
    Activation gate; // no gate if its view is empty
    Activation x;
};
std::vector<Launch> project_add(const StepBuffers &step, const ProjectAddArguments &arguments);

// x += gate * (matrix * input) for inputs that are mostly zero, of every row of a step, decode or wide; of many rows a
// tiled product. The matrix is kept by input.
struct SparseValueArguments {
    std::int32_t layer;
    const Matrix *matrix;
    Activation input;
    Activation gate; // no gate if its view is empty
    Activation x;
};
Result<std::vector<Launch>> sparse_value(const StepBuffers &step, const SparseValueArguments &arguments);

struct Wkv4Arguments {
    const Variant *variant = nullptr;
    std::int32_t layer = -1;
    const Matrix *output = nullptr; // att.output.weight [C, C]
    std::uint32_t decay_at = 0;     // parameters: -exp(time_decay), time_first
    Activation r, k, v, x;
    LayerState state;
    std::uint64_t wkv_offset = 0; // of aa, bb, pp in a slot: two copies
};
std::vector<Launch> wkv4_project_add(const StepBuffers &step, const Wkv4Arguments &arguments);

struct Wkv7Arguments {
    const Variant *variant = nullptr;
    std::int32_t layer = -1;
    std::uint32_t heads = 0, head_size = 0;
    Activation r, k, v, v_first, y;
    Activation low_w, low_a, low_v, low_g; // low_v is empty in layer 0
    const Matrix *up_w = nullptr, *up_a = nullptr, *up_v = nullptr,
                 *up_g = nullptr;                    // transposed: [C, rank]; up_v is null in layer 0
    std::uint32_t vectors_at = 0, vector_stride = 0; // parameters, see Wkv7Params
    LayerState state;
    std::uint64_t wkv_offset = 0;
};
Result<Launch> wkv7(const StepBuffers &step, const Wkv7Arguments &arguments);

// Versions 5 (no up_w: the decay is in the parameters) and 6.
struct Wkv6Arguments {
    const Variant *variant = nullptr;
    std::int32_t layer = -1;
    std::uint32_t heads = 0, head_size = 0;
    Activation r, k, v, gate, y;                     // no gate if its view is empty
    Activation low_w;                                // version 6
    const Matrix *up_w = nullptr;                    // version 6: time_decay_w2 transposed [C, rank]
    std::uint32_t vectors_at = 0, vector_stride = 0; // parameters, see Wkv6Params
    LayerState state;
    std::uint64_t wkv_offset = 0;
};
Result<Launch> wkv6(const StepBuffers &step, const Wkv6Arguments &arguments);

// The five mixed inputs of RWKV-6, in the order w k v r g; `low` and `mixed` are evenly spaced in scratch.
struct Lerp6Arguments {
    const Variant *variant = nullptr;
    std::int32_t layer = -1;
    Activation x;
    std::uint32_t norm_at = 0;  // parameters: ln1
    std::uint32_t mixes_at = 0; // parameters: time_maa of w k v r g
    const Matrix *up = nullptr; // time_maa_w2 transposed [5 C, rank]
    std::array<Activation, 5> low, mixed;
    LayerState state;
    std::uint64_t kept_offset = 0;
};
Result<Launch> lerp6(const StepBuffers &step, const Lerp6Arguments &arguments);

struct ProjectSegment {
    const Matrix *matrix;
    Activation input;
    ActivationKind activation;
    Activation result;
};
struct ProjectArguments {
    const Variant *variant;
    std::int32_t layer;
    std::vector<ProjectSegment> segments; // matrices of one type and width
};
Result<std::vector<Launch>> project(const StepBuffers &step, const ProjectArguments &arguments);

struct DeepEmbedArguments {
    const Variant *variant = nullptr;
    std::int32_t layer = -1;
    const Matrix *table = nullptr;        // ffn.s_emb.weight [V, R * R]
    std::uint32_t rank = 0, width = 0;    // R, F
    std::uint32_t up_at = 0, bias_at = 0; // parameters: s2 [R, F], s0 [F]
    Activation low, matrix, h;
};
std::vector<Launch> deep_embed(const StepBuffers &step, const DeepEmbedArguments &arguments);

struct SampleArguments {
    const Variant *variant;
    std::uint32_t vocabulary;
    gpu::BufferView logits, history; // [S, V]
    Activation work;                 // [V], of a wide step [runs, V]
    gpu::BufferView control;
};
Launch sample(const StepBuffers &step, const SampleArguments &arguments);

} // namespace ff::kernels
