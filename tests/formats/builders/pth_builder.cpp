#include "tests/formats/builders/pth_builder.h"

#include "tests/formats/builders/pickle_builder.h"

#include <algorithm>

namespace ff::loader::test {

Bytes pth_file(const std::vector<NamedTensor> &tensors, const ZipOptions &data_options) {
    std::vector<std::pair<std::string, std::string>> items;
    std::vector<Bytes> storages;
    for (const NamedTensor &tensor : tensors) {
        const std::string_view type = tensor.info.dtype == DType::f32   ? "FloatStorage"
                                      : tensor.info.dtype == DType::f16 ? "HalfStorage"
                                                                        : "BFloat16Storage";
        const std::vector<std::int64_t> shape(tensor.info.shape.begin(), tensor.info.shape.end());
        std::vector<std::int64_t> strides(shape.size(), 1);
        for (std::size_t i = shape.size(); i-- > 1;) strides[i - 1] = strides[i] * shape[i];
        items.emplace_back(pickled::text(tensor.info.name),
                           pickled::tensor(type, std::to_string(storages.size()),
                                           static_cast<std::int64_t>(tensor.info.elements()), 0, shape, strides));
        storages.push_back(tensor.bytes);
    }
    return pth_file(pickled::pickle(pickled::dict(items)), storages, data_options);
}

Bytes pth_file(const Bytes &pickle, const std::vector<Bytes> &storages, const ZipOptions &data_options) {
    ZipBuilder zip;
    zip.add("archive/data.pkl", pickle, {.sizes_follow = true});
    zip.add("archive/byteorder", bytes_of("little"));
    for (std::size_t i = 0; i < storages.size(); ++i)
        zip.add("archive/data/" + std::to_string(i), storages[i], data_options);
    zip.add("archive/version", bytes_of("3\n"));
    return zip.finish(true);
}

Bytes small_pickle() {
    return pickled::pickle(pickled::dict({{pickled::text("t"), pickled::tensor("FloatStorage", "0", 4, 0, {4}, {1})}}));
}

Bytes small_storage() {
    return bytes_of(std::vector<float>{1, 2, 3, 4});
}

} // namespace ff::loader::test
