// A model of random weights: every tensor of a shape, made when it is read. For measuring speed without a file.
#pragma once

#include "loader/presets.h"

namespace ff::loader {

// The same values each time for one preset and type. Matrices and the head are of `weights`, and where that is a block
// type the rest is f16, as when an f16 file is loaded with other weights. Scales are such that activations stay of
// order one at any depth and all logits finite; a tensor repeats one table of random values from random places on.
Result<std::unique_ptr<TensorSource>> synthetic_source(const Preset &preset, DType weights);

} // namespace ff::loader
