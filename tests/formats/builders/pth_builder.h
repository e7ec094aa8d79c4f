// Writes checkpoints as torch.save does.
#pragma once

#include "tests/formats/builders/safetensors_builder.h"
#include "tests/formats/builders/zip_builder.h"

namespace ff::loader::test {

// Every tensor contiguous and in a storage of its own.
Bytes pth_file(const std::vector<NamedTensor> &tensors, const ZipOptions &data_options = {});
// Any pickle over the storages data/0, data/1, ...
Bytes pth_file(const Bytes &pickle, const std::vector<Bytes> &storages, const ZipOptions &data_options = {});

// The smallest checkpoint there is: one tensor "t" of four floats 1, 2, 3, 4 in storage 0.
Bytes small_pickle();
Bytes small_storage();

} // namespace ff::loader::test
