// Activations of a step: float vectors, one for each row of the step, in one buffer behind the step header, by name.
#pragma once

#include "runtime/kernels/step.h"

namespace ff::model {

class Scratch {
  public:
    Scratch() = default; // of a decode step
    Scratch(std::uint32_t rows, std::uint64_t header_bytes) : rows_(rows), bytes_(header_bytes) {}

    // Every vector is declared before the buffer is made; `copies`: where they are not one for each row.
    void declare(const std::string &name, std::uint32_t floats) { declare(name, floats, rows_); }
    void declare(const std::string &name, std::uint32_t floats, std::uint32_t copies);
    std::uint64_t bytes() const { return bytes_; }
    Result<void> create(const std::shared_ptr<gpu::Device> &device, gpu::Uploader &uploader); // zeroed

    gpu::BufferView view() const { return buffer_.view(); }
    kernels::Activation get(const std::string &name) const;

  private:
    struct Region {
        std::string name;
        std::uint64_t offset, bytes;
    };
    std::vector<Region> regions_;
    std::uint32_t rows_ = 1;
    std::uint64_t bytes_ = 256; // begins with the step header
    gpu::Buffer buffer_;
};

} // namespace ff::model
