// What tensors a GGUF file of a model has, and from which official tensors each is made.
#pragma once

#include "loader/description.h"
#include "loader/quant/policy.h"

namespace ff::loader {

struct GgufPart {
    TensorInfo info;                // as the file has it: its name, row-major shape, type
    std::vector<std::size_t> parts; // of the source: one, or those that are fused, in order
    bool turned = false;            // the last two axes are swapped
    bool fallback = false;
};

// "rwkv4" ... "rwkv7", "rwkv7a"
std::string_view gguf_architecture(Version version);

// Fails with argument if a rule wants a type for a tensor that llama.cpp takes as f32 only, and with internal if a
// tensor has no name in the file.
Result<std::vector<GgufPart>> gguf_layout(const TensorSource &source, const ModelDescription &model,
                                          std::optional<DType> weights, std::span<const TypeRule> rules = {});

} // namespace ff::loader
