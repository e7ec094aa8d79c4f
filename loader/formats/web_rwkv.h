// Models as web-rwkv's converter writes them (.st): safetensors of float16 in which version 5's and 6's time_faaaa is
// called time_first, version 6's time_maa time_mix, and the low-rank matrices of 6 and 7 lie the other way round.
#pragma once

#include "loader/tensor_source.h"

namespace ff::loader {

// Told by names and shapes: what official files have under these names is of other shapes.
bool is_web_rwkv(const TensorSource &source);
// The same tensors under official names, in official orientation.
std::unique_ptr<TensorSource> undo_web_rwkv(std::unique_ptr<TensorSource> source);

} // namespace ff::loader
