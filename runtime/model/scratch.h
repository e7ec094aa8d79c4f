// Activations of a step: float vectors in one buffer behind the step header, by name.
#pragma once

#include "runtime/kernels/step.h"

namespace ff::model {

class Scratch {
  public:
    // Every vector is declared before the buffer is made.
    void declare(const std::string &name, std::uint32_t floats);
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
    std::uint64_t bytes_ = 256; // the step header
    gpu::Buffer buffer_;
};

} // namespace ff::model
