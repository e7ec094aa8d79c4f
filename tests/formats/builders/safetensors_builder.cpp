#include "tests/formats/builders/safetensors_builder.h"

#include "loader/text.h"

#include <fmt/format.h>

namespace ff::loader::test {

NamedTensor f32_tensor(std::string name, std::vector<std::uint64_t> shape, const std::vector<float> &values) {
    return {{std::move(name), DType::f32, std::move(shape)}, bytes_of(values)};
}

Bytes safetensors_file(const std::vector<NamedTensor> &tensors, const std::string &metadata_json) {
    std::string header = "{";
    if (!metadata_json.empty()) header += "\"__metadata__\":" + metadata_json;
    Bytes data;
    for (const NamedTensor &tensor : tensors) {
        if (header.size() > 1) header += ",";
        const std::string_view dtype = tensor.info.dtype == DType::f32   ? "F32"
                                       : tensor.info.dtype == DType::f16 ? "F16"
                                                                         : "BF16";
        header += fmt::format(R"("{}":{{"dtype":"{}","shape":{},"data_offsets":[{},{}]}})", tensor.info.name, dtype,
                              shape_text(tensor.info.shape), data.size(), data.size() + tensor.bytes.size());
        append(data, tensor.bytes);
    }
    header += "}";
    header.resize((header.size() + 7) / 8 * 8, ' ');
    Bytes file;
    append_le<std::uint64_t>(file, header.size());
    append(file, bytes_of(header));
    append(file, data);
    return file;
}

Bytes safetensors_file(std::string_view header, std::size_t data_bytes) {
    Bytes file;
    append_le<std::uint64_t>(file, header.size());
    append(file, bytes_of(header));
    file.resize(file.size() + data_bytes, std::byte{0});
    return file;
}

} // namespace ff::loader::test
