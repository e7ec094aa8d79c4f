// How llama.cpp calls and stores the tensors of RWKV-6 and -7: the one place that knows it, for the reader and the
// writer.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace ff::loader {

enum class GgufForm : std::uint8_t {
    norm,   // NAME.weight and NAME.bias, [n], in both
    matrix, // NAME.weight in both, as it is
    vector, // officially NAME, [1, 1, C]; [C] in the file
    heads,  // officially NAME, [H, N]; [H * N] or [H, N] in the file
    turned, // officially NAME, input-major; the last two axes are swapped in the file
};

struct GgufName {
    std::string_view official; // without "blocks.3." and without .weight or .bias
    std::string_view file;     // without "blk.3." and without .weight or .bias
    GgufForm form;
};

// Of the whole model: emb, ln_out, head, and blocks.0.ln0.
std::span<const GgufName> gguf_model_names();
// Of a layer, for "rwkv6" or "rwkv7".
std::span<const GgufName> gguf_layer_names(std::string_view architecture);

// The mixing vectors that the file keeps as one tensor [n, 1, 1, C], in its order: prefix + letter are officially [1,
// 1, C].
struct GgufFused {
    std::string_view prefix, letters;
};
constexpr std::string_view kGgufFusedName = "time_mix_lerp_fused";
GgufFused gguf_fused(std::string_view architecture);

// Matrices that RWKV-6 files hold divided by 2^(layer / rescale_every_n_layers).
bool gguf_rescaled(std::string_view official); // "att.output", "ffn.value"

} // namespace ff::loader
