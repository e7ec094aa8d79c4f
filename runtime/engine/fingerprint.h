// What tells checkpoints apart without reading them twice: the names, shapes and first bytes of their tensors.
#pragma once

#include "loader/tensor_source.h"

#include <mutex>

namespace ff::engine {

// Answers for `source`, which must outlive it, and looks at the tensors' bytes as they pass.
class FingerprintedSource : public loader::TensorSource {
  public:
    explicit FingerprintedSource(const loader::TensorSource &source);

    const std::string &path() const override { return source_.path(); }
    std::string_view container() const override { return source_.container(); }
    std::span<const loader::TensorInfo> tensors() const override { return source_.tensors(); }
    const std::map<std::string, std::string> &metadata() const override { return source_.metadata(); }
    Result<std::vector<std::string>> token_texts() const override { return source_.token_texts(); }
    Result<loader::TensorBytes> read(std::size_t index) const override;
    std::optional<loader::TensorBytes> stand_in(std::size_t index, std::uint64_t bytes) const override;

    // 16 hexadecimal digits. Reads the tensors that nobody has read.
    Result<std::string> fingerprint() const;

  private:
    void note(std::size_t index, std::span<const std::byte> stored) const;

    const loader::TensorSource &source_;
    mutable std::mutex mutex_;
    mutable std::vector<std::uint64_t> hashes_; // of each tensor's first bytes; 0: not read yet
};

} // namespace ff::engine
