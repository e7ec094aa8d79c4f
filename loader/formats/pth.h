// Checkpoints as torch.save writes them since PyTorch 1.6: a zip archive with <root>/data.pkl, a pickle that describes
// a dictionary of tensors, and <root>/data/<key>, the bytes of each storage.
#pragma once

#include "loader/tensor_source.h"

namespace ff::loader {

// `bytes` must outlive the source. A contiguous tensor of a stored entry, which is what torch writes, is a view; a
// strided view or a deflated entry is copied when it is read. The CRC of stored tensor data is not checked (see
// ZipArchive::view), that of everything else is.
//
// The dictionary is the pickle's root, or its entry "state_dict", "model", "model_state_dict" or "module".
// Fails with model_file or unsupported; nothing in the pickle is ever executed.
Result<std::unique_ptr<TensorSource>> open_pth(std::string path, std::span<const std::byte> bytes);

} // namespace ff::loader
