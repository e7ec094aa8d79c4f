// What the fuzz targets share. A target hands libFuzzer's bytes to one door of the loader; that nothing is read or
// written out of place is the sanitizers' business, that memory stays bounded libFuzzer's (-malloc_limit_mb), and the
// rest is asked here: whatever is wrong with a file is a sentence about the file, never a mistake of ours.
#pragma once

#include "loader/tensor_source.h"
#include "loader/tokenizer/tokenizer.h"

#include <cstdint>

namespace ff::fuzz {

inline std::span<const std::byte> bytes_of(const std::uint8_t *data, std::size_t size) {
    return {reinterpret_cast<const std::byte *>(data), size};
}
inline std::string_view text_of(const std::uint8_t *data, std::size_t size) {
    return {reinterpret_cast<const char *>(data), size};
}

// Stops the target if an error is not a sentence about the file "x".
void check(const Error &error, std::string_view begins_with = "x");

// All that a program asks of a checkpoint: what model it is, every tensor, the vocabulary it brings.
void read_all(const Result<std::unique_ptr<loader::TensorSource>> &source);

// Encodes, and decodes to what it was.
void round_trip(const loader::Tokenizer &tokenizer, std::string_view text);

} // namespace ff::fuzz
