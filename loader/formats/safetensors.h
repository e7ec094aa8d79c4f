// The safetensors container: eight bytes of header length, a JSON header, the tensors' bytes.
// Format: https://github.com/huggingface/safetensors, README, section "Format".
#pragma once

#include "loader/tensor_source.h"

namespace ff::loader {

// `bytes` must outlive the source; every tensor is a view into them.
// Fails with model_file (damaged, or not what the format allows: overlapping or missing bytes, repeated names) or
// unsupported (a tensor of another type than F32, F16, BF16).
Result<std::unique_ptr<TensorSource>> open_safetensors(std::string path, std::span<const std::byte> bytes);

} // namespace ff::loader
