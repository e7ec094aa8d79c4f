// The shapes of published models, by the names people give them: "7-0.4b" is RWKV-7 with 0.4 billion parameters.
#pragma once

#include "loader/description.h"

namespace ff::loader {

struct Preset {
    std::string_view name;
    Version version;
    std::uint32_t layers, width, vocabulary;
};

std::span<const Preset> presets(); // by version, then size
// Fails with argument, listing the names there are.
Result<Preset> preset_named(std::string_view name);
// All that the layout of tensors depends on; the sizes follow from version and width as in the training code.
// parameters, bytes and bytes_by_dtype stay zero.
ModelDescription shape_of(const Preset &preset);

} // namespace ff::loader
