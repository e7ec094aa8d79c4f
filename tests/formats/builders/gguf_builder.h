// Writes GGUF files, right and wrong ones, and converts models as llama.cpp's converter does. Nothing here is shared
// with the loader, so that the two can disagree.
#pragma once

#include "tests/formats/builders/safetensors_builder.h"

namespace ff::loader::test {

struct GgufRow {
    std::string name;
    std::vector<std::uint64_t> dimensions; // fastest first, as in the file
    std::uint32_t type = 0;                // ggml's number
    Bytes bytes;
};

class GgufBuilder {
  public:
    std::uint32_t version = 3;
    std::uint64_t alignment = 32;
    std::vector<GgufRow> rows;

    void add_text(std::string_view key, std::string_view value);
    void add_u32(std::string_view key, std::uint32_t value);
    void add_f32(std::string_view key, float value);
    void add_texts(std::string_view key, const std::vector<std::string> &values);
    void add_raw(std::string_view key, std::uint32_t type, const Bytes &value);
    Bytes file() const;

    // For files that lie: used instead of the true numbers.
    std::optional<std::uint64_t> tensor_count, entry_count;
    std::vector<std::uint64_t> offsets; // of the tensors, in their order

  private:
    Bytes metadata_;
    std::uint64_t entries_ = 0;
};

// A model under llama.cpp's names, from official tensors; architecture rwkv6 or rwkv7. All f32.
GgufBuilder llama_cpp_model(const std::vector<NamedTensor> &official, std::string_view architecture,
                            std::uint32_t head_size, std::uint32_t rescale_every = 0);
// The same tensors under official names, as we write versions llama.cpp does not know.
GgufBuilder verbatim_model(const std::vector<NamedTensor> &official, std::string_view architecture);

} // namespace ff::loader::test
