// Everything small that kernels read beside the big matrices: norms, mixes, decays, segment tables. Gathered on the
// host in one block, uploaded once, bound as one buffer; a place in it is counted in units of 16 bytes.
#pragma once

#include "runtime/base/result.h"
#include "runtime/gpu/upload.h"

#include <cstdint>
#include <span>
#include <vector>

namespace ff::kernels {

class Parameters {
  public:
    // `bytes` is all that will ever be appended (each piece rounded up to 32 bytes).
    static Result<Parameters> create(const std::shared_ptr<gpu::Device> &device, std::uint64_t bytes);

    // Returns the place of the first element. Vectors are padded with zeros to whole weight groups (8 floats).
    Result<std::uint32_t> append(std::span<const float> vector);
    Result<std::uint32_t> append(std::span<const std::uint32_t> words);
    Result<void> upload(gpu::Uploader &uploader) const;

    gpu::BufferView view() const { return buffer_.view(); }
    gpu::BufferView part(std::uint32_t at, std::uint64_t bytes) const {
        return view().slice(std::uint64_t{16} * at, bytes);
    }

  private:
    gpu::Buffer buffer_;
    std::vector<std::uint32_t> words_;
};

} // namespace ff::kernels
