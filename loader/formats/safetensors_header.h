// The JSON header of a safetensors file, read as a stream: a hostile header may be 100 MB of brackets, which as a
// document would take gigabytes.
#pragma once

#include "loader/tensor_source.h"

namespace ff::loader {

struct SafetensorsEntry {
    std::string name, dtype; // dtype as written: "F32"
    std::vector<std::uint64_t> shape;
    std::uint64_t begin = 0, end = 0; // data_offsets, from the first byte behind the header
};

struct SafetensorsHeader {
    std::vector<SafetensorsEntry> entries; // in the header's order
    std::map<std::string, std::string> metadata;
};

// Accepts exactly {"__metadata__": {text: text}, NAME: {"dtype": text, "shape": [n...], "data_offsets": [n, n]}, ...}:
// every tensor has its three fields once, names are not repeated, numbers are integers of 0 or more.
// Fails with model_file; `path` begins the message.
Result<SafetensorsHeader> parse_safetensors_header(const std::string &path, std::string_view json);

} // namespace ff::loader
