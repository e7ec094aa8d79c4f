// A fine-tuned adapter merged into its base model while it is read.
#pragma once

#include "loader/tensor_source.h"

#include <optional>

namespace ff::loader {

// `adapter` is what RWKV-LM-LoRA and RWKV-PEFT save: pairs blocks.0.att.key.lora_A [rank, in] and lora_B [out, rank]
// for the matrix blocks.0.att.key.weight [out, in], and whole tensors under official names (time_*, ln*, emb, ...) that
// replace the base's. The merged matrix is W + alpha / rank * B A (arXiv 2106.09685), summed in float32; without alpha
// the factor is 1. The result has the base's names, shapes and order. A merged matrix keeps its type if it is a plain
// float, and is f32 if it was blocks; a replaced tensor has the adapter's type.
// Fails with model_file or argument, naming the tensor: half of a pair, a pair or tensor that the base lacks, shapes
// that do not fit, an alpha that is no finite number, an adapter that changes nothing.
// The base is shared, so that a caller who keeps it has it unchanged when the adapter is refused.
Result<std::unique_ptr<TensorSource>> merge_lora(std::shared_ptr<const TensorSource> base,
                                                 std::unique_ptr<TensorSource> adapter,
                                                 std::optional<double> alpha = std::nullopt);

} // namespace ff::loader
