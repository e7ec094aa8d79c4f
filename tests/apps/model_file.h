// Safetensors files as the tests write and read them.
#pragma once

#include "process.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace test {

struct Tensor {
    std::string dtype; // "F32", "F16"
    std::vector<std::uint64_t> shape;
    std::string bytes;

    std::vector<float> values() const;
};

std::map<std::string, Tensor> read_safetensors(const std::string &path);
std::string safetensors_bytes(const std::map<std::string, Tensor> &tensors);
// The demo model's first layer as a model of its own, for what loads a model many times; its path.
std::string one_layer_of_demo(const Folder &folder);
Tensor f32_tensor(std::vector<std::uint64_t> shape, const std::vector<float> &values);

} // namespace test
