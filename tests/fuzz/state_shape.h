// The model whose states the state_file target reads.
#pragma once

#include "runtime/engine/snapshot.h"
#include "runtime/model/state_layout.h"

namespace ff::fuzz {

inline loader::ModelDescription state_model() {
    loader::ModelDescription model;
    model.version = loader::Version::v6_0; // whose matrices are turned on the way
    model.layers = 2;
    model.width = model.attention_width = 16;
    model.heads = 2;
    model.head_size = 8;
    model.vocabulary = 5;
    return model;
}

} // namespace ff::fuzz
