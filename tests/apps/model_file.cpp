#include "model_file.h"

#include <cmath>
#include <cstring>

#include <nlohmann/json.hpp>

namespace test {
namespace {

float from_f16(std::uint16_t bits) {
    const int exponent = (bits >> 10U) & 0x1F, fraction = bits & 0x3FF;
    const float size = exponent == 0 ? std::ldexp(static_cast<float>(fraction), -24)
                                     : std::ldexp(static_cast<float>(1024 + fraction), exponent - 25);
    return (bits & 0x8000U) != 0 ? -size : size;
}

} // namespace

std::vector<float> Tensor::values() const {
    std::vector<float> out(bytes.size() / (dtype == "F32" ? 4 : 2));
    for (std::size_t i = 0; i < out.size(); ++i) {
        std::uint16_t half = 0;
        if (dtype == "F32")
            std::memcpy(&out[i], bytes.data() + 4 * i, 4);
        else
            std::memcpy(&half, bytes.data() + 2 * i, 2), out[i] = from_f16(half);
    }
    return out;
}

std::map<std::string, Tensor> read_safetensors(const std::string &path) {
    const std::string file = read(path);
    std::uint64_t size = 0;
    std::memcpy(&size, file.data(), 8);
    std::map<std::string, Tensor> all;
    const nlohmann::json header = nlohmann::json::parse(file.substr(8, size));
    for (const auto &[name, entry] : header.items()) {
        if (name == "__metadata__") continue;
        const std::uint64_t begin = entry["data_offsets"][0], end = entry["data_offsets"][1];
        all[name] = {entry["dtype"], entry["shape"], file.substr(8 + size + begin, end - begin)};
    }
    return all;
}

std::string safetensors_bytes(const std::map<std::string, Tensor> &tensors) {
    nlohmann::json header;
    std::string data;
    for (const auto &[name, tensor] : tensors) {
        header[name] = {{"dtype", tensor.dtype},
                        {"shape", tensor.shape},
                        {"data_offsets", {data.size(), data.size() + tensor.bytes.size()}}};
        data += tensor.bytes;
    }
    const std::string text = header.dump();
    const std::uint64_t size = text.size();
    std::string out(8, '\0');
    std::memcpy(out.data(), &size, 8);
    return out + text + data;
}

std::string one_layer_of_demo(const Folder &folder) {
    std::map<std::string, Tensor> tensors = read_safetensors(FIREFINCH_DEMO_FILE);
    std::erase_if(tensors, [](const auto &tensor) {
        return tensor.first.rfind("blocks.", 0) == 0 && tensor.first.rfind("blocks.0.", 0) != 0;
    });
    return folder.write("one-layer.safetensors", safetensors_bytes(tensors));
}

Tensor f32_tensor(std::vector<std::uint64_t> shape, const std::vector<float> &values) {
    std::string bytes(values.size() * 4, '\0');
    std::memcpy(bytes.data(), values.data(), bytes.size());
    return {"F32", std::move(shape), std::move(bytes)};
}

} // namespace test
