// The GGUF container as llama.cpp writes it: a header, typed metadata, a list of tensors, their bytes.
// Format: https://github.com/ggml-org/ggml, docs/gguf.md; versions 2 and 3, little-endian.
#pragma once

#include "loader/tensor_source.h"

#include <optional>

namespace ff::loader {

enum class GgufType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, text, array, u64, i64, f64 };

struct GgufEntry {
    std::string key;
    GgufType type = GgufType::u32; // of the value, or of an array's elements
    bool array = false;
    std::uint64_t count = 1;          // elements
    std::span<const std::byte> bytes; // of the value, or of all elements, as in the file
};

struct GgufTensor {
    TensorInfo info;                  // the file's own name; shape turned round to row-major
    std::span<const std::byte> bytes; // as many as info says
};

// ggml's number for a type, where it has one; nf4 has one of our own, which llama.cpp refuses.
std::uint32_t gguf_type_of(DType dtype);

class GgufFile {
  public:
    // `bytes` must outlive the file: everything but names is a view into them.
    // Fails with model_file (damaged) or unsupported (another version, a type that is not read).
    static Result<GgufFile> parse(const std::string &path, std::span<const std::byte> bytes);

    std::span<const GgufEntry> entries() const { return entries_; }
    std::span<const GgufTensor> tensors() const { return tensors_; }

    const GgufEntry *find(std::string_view key) const;
    std::optional<std::string_view> text(std::string_view key) const;
    std::optional<std::uint64_t> number(std::string_view key) const; // an integer of 0 or more, of any width
    std::vector<std::string_view> texts(std::string_view key) const; // of an array of texts; empty if there is none
    // Everything that is not an array, as text.
    std::map<std::string, std::string> scalars() const;

  private:
    friend class GgufParser;
    std::vector<GgufEntry> entries_;
    std::vector<GgufTensor> tensors_;
};

} // namespace ff::loader
