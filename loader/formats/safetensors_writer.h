// Models as .safetensors with official names.
#pragma once

#include "loader/formats/convert_rows.h"
#include "loader/quant/policy.h"

#include <optional>

namespace ff::loader {

struct SafetensorsOptions {
    std::optional<DType> weights = {}; // f32, f16 or bf16 for all but small parameters; nothing: as they are
    std::vector<TypeRule> rules = {};  // exceptions to that, of the same types
    std::string name = {};             // the metadata "name"; empty: the source's, if it has one
    WriteProgress progress = {};
};

// Tensors of block types, which the format does not have, become f32, which loses nothing. Metadata of a .safetensors
// source is kept. What would be written, without writing:
Result<WriteReport> plan_safetensors(const TensorSource &source, const SafetensorsOptions &options);
// Fails with io, argument (weights of a block type, a rule that fits no tensor), unsupported (a value does not fit),
// cancelled, or as read() does.
Result<WriteReport> write_safetensors(const TensorSource &source, const SafetensorsOptions &options,
                                      const std::string &path);

} // namespace ff::loader
