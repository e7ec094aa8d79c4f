// Models in GGUF: llama.cpp's of RWKV-6 and -7, whose conversion is undone, and those that we write ourselves for
// versions llama.cpp does not know, under official names (architectures rwkv4, rwkv5, rwkv7a).
#pragma once

#include "loader/tensor_source.h"

namespace ff::loader {

// `bytes` must outlive the source. Tensors have official names, shapes and orientation. What llama.cpp only renamed or
// put together is a view, with the type that the file has; low-rank matrices are turned back when they are read (block
// types become f32), and so is the rescaling of RWKV-6's deeper layers undone, exactly: reading fails with model_file
// if a value does not fit its type then. Layer 0's v0, v1, v2 of version 7, which are copies of others, are left out.
// metadata() has what is not an array, as text.
// Fails with model_file or unsupported.
Result<std::unique_ptr<TensorSource>> open_gguf(std::string path, std::span<const std::byte> bytes);

} // namespace ff::loader
