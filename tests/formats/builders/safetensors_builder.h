// Writes safetensors files, right and wrong ones.
#pragma once

#include "tests/formats/support.h"

namespace ff::loader::test {

struct NamedTensor {
    TensorInfo info;
    Bytes bytes; // as many as info says
};

NamedTensor f32_tensor(std::string name, std::vector<std::uint64_t> shape, const std::vector<float> &values);

// A well-formed file of these tensors, in this order.
Bytes safetensors_file(const std::vector<NamedTensor> &tensors, const std::string &metadata_json = "");
// Any header over any data, for files that are not well-formed.
Bytes safetensors_file(std::string_view header, std::size_t data_bytes);

} // namespace ff::loader::test
