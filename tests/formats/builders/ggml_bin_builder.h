// Writes rwkv.cpp's .bin files, and converts models as its convert_pytorch_to_ggml.py does.
#pragma once

#include "tests/formats/builders/safetensors_builder.h"

namespace ff::loader::test {

struct BinRow {
    std::string name;
    std::uint32_t type = 0;                // rwkv.cpp's number
    std::vector<std::uint32_t> dimensions; // fastest first
    Bytes bytes;
};

Bytes ggml_bin_file(const std::vector<BinRow> &rows, std::uint32_t version = 101);

// f32 rows of a model of a version as in label_of.
std::vector<BinRow> rwkv_cpp_model(const std::vector<NamedTensor> &official, std::string_view version);

} // namespace ff::loader::test
