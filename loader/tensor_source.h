// Every container answers the same questions: which tensors, of what type and shape, and where their bytes are.
#pragma once

#include "runtime/base/result.h"

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace ff::loader {

// How one tensor's values are stored: plain floats, or blocks of several elements (quant/formats.h describes them all).
enum class DType : std::uint8_t { f32, f16, bf16, q8_0, q4_0, q4_1, q5_0, q5_1, q4_k, q5_k, q6_k, nf4 };
std::string_view name_of(DType dtype);        // "f32", "q4_k"
std::uint64_t block_elements(DType dtype);    // 1 for f32, f16, bf16; a row is a whole number of blocks
std::uint64_t block_bytes(DType dtype);       // of block_elements() elements
std::uint64_t bytes_per_element(DType dtype); // only of f32, f16, bf16

struct TensorInfo {
    std::string name; // as RWKV's own checkpoints call it: blocks.3.att.key.weight
    DType dtype = DType::f32;
    std::vector<std::uint64_t> shape; // row-major, slowest axis first
    std::uint64_t elements() const;   // product of shape; 1 for a scalar
    std::uint64_t row_bytes() const;  // of the last axis; UINT64_MAX if it is no whole number of blocks
    std::uint64_t bytes() const;      // rows times row_bytes(); UINT64_MAX if that is no number
};

// The bytes of one tensor, row-major and contiguous: a view into the mapped file where the file stores them so,
// otherwise (deflated, strided) a copy of this one tensor that lives as long as the object.
class TensorBytes {
  public:
    explicit TensorBytes(std::span<const std::byte> view) : view_(view) {}
    explicit TensorBytes(std::vector<std::byte> owned) : owned_(std::move(owned)), view_(owned_) {}
    TensorBytes(TensorBytes &&other) noexcept = default; // a moved vector keeps its storage, so view_ stays right
    TensorBytes &operator=(TensorBytes &&other) noexcept = default;
    TensorBytes(const TensorBytes &) = delete;
    TensorBytes &operator=(const TensorBytes &) = delete;

    std::span<const std::byte> bytes() const { return view_; }
    bool is_view() const { return owned_.empty(); }

  private:
    std::vector<std::byte> owned_;
    std::span<const std::byte> view_;
};

class TensorSource {
  public:
    virtual ~TensorSource() = default;
    virtual const std::string &path() const = 0;             // for messages; a name in brackets if it came from memory
    virtual std::string_view container() const = 0;          // "safetensors", "pth", "gguf", "rwkv.cpp"
    virtual std::span<const TensorInfo> tensors() const = 0; // in file order, names unique
    virtual const std::map<std::string, std::string> &metadata() const = 0;
    // Fails with io or model_file. Safe to call from several threads at once.
    virtual Result<TensorBytes> read(std::size_t index) const = 0;
    // Of a tensor whose values stand for nothing (random weights): `bytes` bytes, whole blocks, that may be repeated to
    // fill it, so that a large one need neither be made nor uploaded whole. Nothing where values count.
    virtual std::optional<TensorBytes> stand_in(std::size_t, std::uint64_t) const { return std::nullopt; }
    // The bytes of every token, by id, where the file brings its vocabulary along (gguf); else nothing. Ids without
    // text (control tokens, padding) have an empty one. metadata()'s tokenizer.ggml.model says how to find them in a
    // text: "rwkv" is the world tokenizer's longest match.
    virtual Result<std::vector<std::string>> token_texts() const { return std::vector<std::string>(); }
};

// Recognises the container by its first bytes, never by the file's suffix.
Result<std::unique_ptr<TensorSource>> open_tensor_source(const std::string &path);
// The same over bytes that the caller keeps alive; `name` stands in for the path in messages.
Result<std::unique_ptr<TensorSource>> open_tensor_source(std::string name, std::span<const std::byte> bytes);

// float32 values of stored ones (f16 and bf16 widen exactly); out has one element for each stored one, and both are
// whole blocks: a tensor, or any of its rows.
void to_float32(DType dtype, std::span<const std::byte> stored, std::span<float> out);

} // namespace ff::loader
