#include "tests/formats/builders/ggml_bin_builder.h"

#include <algorithm>
#include <cmath>
#include <map>

namespace ff::loader::test {

Bytes ggml_bin_file(const std::vector<BinRow> &rows, std::uint32_t version) {
    Bytes file = bytes_of("fmgg");
    append_le(file, version);
    for (const std::uint32_t number : {11u, 16u, 2u, 0u}) append_le(file, number);
    for (const BinRow &row : rows) {
        append_le(file, static_cast<std::uint32_t>(row.dimensions.size()));
        append_le(file, static_cast<std::uint32_t>(row.name.size()));
        append_le(file, row.type);
        for (const std::uint32_t size : row.dimensions) append_le(file, size);
        append(file, bytes_of(row.name));
        append(file, row.bytes);
    }
    return file;
}

std::vector<BinRow> rwkv_cpp_model(const std::vector<NamedTensor> &official, std::string_view version) {
    std::vector<BinRow> rows;
    std::map<std::string, std::vector<float>> fused;
    const bool four = version == "4.0", five = version.starts_with("5"), six = version == "6.0",
               seven = version == "7.0";
    for (const NamedTensor &tensor : official) {
        const std::string &name = tensor.info.name;
        const std::string last = name.substr(name.rfind('.') + 1);
        std::vector<std::uint64_t> shape = tensor.info.shape;
        std::vector<float> values(tensor.info.elements());
        to_float32(tensor.info.dtype, tensor.bytes, values);
        const auto apply = [&](auto &&function) {
            for (float &value : values) value = static_cast<float>(function(static_cast<double>(value)));
        };
        const std::string prefix = name.substr(0, name.size() - last.size());
        if (seven && last.size() == 3 && last.starts_with("x_") && prefix.ends_with("att.")) {
            fused[name] = values;
            std::vector<float> all;
            for (const char letter : std::string("rwkvag")) {
                const auto found = fused.find(prefix + "x_" + letter);
                if (found != fused.end()) all.insert(all.end(), found->second.begin(), found->second.end());
            }
            if (all.size() == 6 * values.size())
                rows.push_back(
                    {prefix + "x_rwkvag", 0, {static_cast<std::uint32_t>(values.size()), 1, 6}, bytes_of(all)});
            continue;
        }
        const bool low_rank = (seven && last.size() == 2 && (last[1] == '1' || last[1] == '2') &&
                               std::string("wavg").find(last[0]) != 4) ||
                              (six && (last == "time_maa_w1" || last == "time_maa_w2" || last == "time_decay_w1" ||
                                       last == "time_decay_w2"));
        if (low_rank && std::string("wavgt").find(last[0]) != std::string::npos) {
            std::vector<float> out;
            const std::size_t height = shape[shape.size() - 2], width = shape.back();
            for (std::size_t matrix = 0; matrix < values.size(); matrix += height * width)
                for (std::size_t column = 0; column < width; ++column)
                    for (std::size_t row = 0; row < height; ++row) out.push_back(values[matrix + row * width + column]);
            values = out;
            std::swap(shape.back(), shape[shape.size() - 2]);
        } else if (last == "time_decay" && four) {
            apply([](double w) { return -std::exp(w); });
        } else if (last == "time_decay" && five) {
            apply([](double w) { return std::exp(-std::exp(w)); });
            shape = {shape[0], shape.size() > 1 ? shape[1] : 1, 1};
        } else if (last == "time_first" && five) {
            apply([](double u) { return std::exp(u); });
            shape = {shape[0], 1, 1};
        } else if (last == "time_faaaa") {
            shape = {shape[0], shape.size() > 1 ? shape[1] : 1, 1};
        } else if (last == "time_decay" && six) {
            shape = {4, values.size() / 4, 1};
        } else if (shape.size() == 3 && shape[0] == 1) {
            shape = {values.size()};
        }
        std::vector<std::uint32_t> dimensions;
        for (auto size = shape.rbegin(); size != shape.rend(); ++size)
            dimensions.push_back(static_cast<std::uint32_t>(*size));
        rows.push_back({name, 0, std::move(dimensions), bytes_of(values)});
    }
    return rows;
}

} // namespace ff::loader::test
