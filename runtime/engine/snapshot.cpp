#include "runtime/engine/snapshot.h"

#include <fmt/format.h>

namespace ff::engine {

StateShape shape_of(const loader::ModelDescription &d) {
    return {std::string(loader::label_of(d.version)), d.layers, d.width, d.heads, d.head_size, d.vocabulary};
}

std::string text_of(const StateShape &shape) {
    return fmt::format("RWKV {} with {} layers, width {}, {} heads of {}, {} tokens", shape.version, shape.layers,
                       shape.width, shape.heads, shape.head_size, shape.vocabulary);
}

} // namespace ff::engine
