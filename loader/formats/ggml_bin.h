// rwkv.cpp's own container (.bin): a header, then tensors one after the other, with the conversions of its
// convert_pytorch_to_ggml.py. Format: https://github.com/RWKV/rwkv.cpp, docs/FILE_FORMAT.md; versions 100 and 101.
#pragma once

#include "loader/tensor_source.h"

namespace ff::loader {

// `bytes` must outlive the source. Tensors have official names, shapes, orientation and parametrisation. Matrices are
// views with the type that the file has (FP32, FP16, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0); transposed low-rank matrices and
// vectors that were exponentiated are restored when they are read, in double precision, as f32.
// Fails with model_file or unsupported.
Result<std::unique_ptr<TensorSource>> open_ggml_bin(std::string path, std::span<const std::byte> bytes);

} // namespace ff::loader
