// Tensors on their way from one type to another, a few megabytes at a time.
#pragma once

#include "loader/tensor_source.h"

#include <functional>

namespace ff::loader {

using Sink = std::function<Result<void>(std::span<const std::byte>)>;

// Hands `stored` to `sink` as `to`, in pieces; as it is where both types are the same. The work is spread over the
// processor's cores; the result does not depend on their number.
// Fails with unsupported, naming the tensor, if a value is not finite or too large for `to`, and with what sink fails.
Result<void> convert_rows(const std::string &path, std::string_view name, DType from, std::span<const std::byte> stored,
                          DType to, const Sink &sink);

// For progress bars and cancelling; false stops the work with Status::cancelled.
using WriteProgress = std::function<bool(std::string_view tensor, std::uint64_t done_bytes, std::uint64_t total_bytes)>;

// What a writer made, or would make, of each tensor.
struct WrittenTensor {
    std::string name; // official
    DType from, to;
    bool fallback = false;   // not what its role was to get: its rows are no whole blocks of it
    std::uint64_t bytes = 0; // written
};
struct WriteReport {
    std::vector<WrittenTensor> tensors;
    std::uint64_t bytes = 0; // of the file
};

} // namespace ff::loader
