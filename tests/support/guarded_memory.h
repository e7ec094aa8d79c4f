// A device buffer with a picture of itself on the host, for tests: what a kernel was given, what it left behind, and
// whether it wrote anywhere it should not have.
#pragma once

#include "runtime/gpu/memory.h"

#include <span>
#include <string>
#include <vector>

namespace ff::test {

class GuardedMemory {
  public:
    // Filled with guard words, which are NaN as floats: a kernel that reads them shows it in its results.
    GuardedMemory(std::string name, std::uint64_t bytes);

    // The next regions, in order, each at a multiple of the device's offset alignment and followed by guard words.
    // Floats are padded with zeros to whole weight groups (8 floats), as kernels expect; the view covers them without.
    gpu::BufferView put(std::span<const float> values);
    gpu::BufferView put(std::span<const std::uint32_t> words);
    gpu::BufferView whole() const { return buffer_.view(); }

    // Says that the launches to come may change these bytes; all others must keep their bits.
    void may_change(const gpu::BufferView &view);
    void nothing_may_change() { allowed_.clear(); }

    void upload() const;                                          // the picture taken before
    void download();                                              // the picture taken after
    std::vector<float> floats(const gpu::BufferView &view) const; // after
    std::vector<std::uint32_t> words(const gpu::BufferView &view) const;
    std::span<const std::uint32_t> after() const { return after_; }
    // Where bytes changed that were not allowed to, or that none of `declared` covers; empty if nowhere.
    std::string stray(std::span<const gpu::BufferView> declared) const;
    // The next upload starts from what the last launches left.
    void keep_going() { before_ = after_; }
    void set(const gpu::BufferView &view, std::span<const std::uint32_t> words); // before

  private:
    std::string name_;
    gpu::Buffer buffer_;
    std::vector<std::uint32_t> before_, after_;
    std::vector<gpu::BufferView> allowed_;
    std::uint64_t used_ = 0; // bytes
};

} // namespace ff::test
