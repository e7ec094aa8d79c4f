// Buffers and the arenas that cut them up.
#pragma once

#include "runtime/gpu/device.h"

namespace ff::gpu {

enum class MemoryKind : std::uint8_t {
    device,   // fastest for the GPU; host visible only where the traits say unified memory
    upload,   // host writes, GPU reads: coherent
    readback, // GPU writes, host reads: cached where the device has such memory, coherent
    shared,   // both sides read and write small things while work is in flight: coherent; device-local where offered
};

// A part of a buffer. Copyable, owns nothing.
struct BufferView {
    VkBuffer buffer = VK_NULL_HANDLE;
    std::uint64_t offset = 0, bytes = 0;
    std::byte *mapped = nullptr; // host address of `offset`, where the memory is host visible
    std::uint64_t address = 0;   // the device's, where weights are read by it (weights_by_address)

    BufferView slice(std::uint64_t at, std::uint64_t size) const {
        return {buffer, offset + at, size, mapped ? mapped + at : nullptr, address ? address + at : 0};
    }
    bool overlaps(const BufferView &other) const {
        return buffer == other.buffer && offset < other.offset + other.bytes && other.offset < offset + bytes;
    }
};

// A storage buffer with memory of its own; usable as transfer source and target too. Zeroed by nobody.
class Buffer {
  public:
    static Result<Buffer> create(std::shared_ptr<Device> device, MemoryKind kind, std::uint64_t bytes,
                                 std::string_view name);
    Buffer() = default;
    ~Buffer();
    Buffer(Buffer &&other) noexcept;
    Buffer &operator=(Buffer &&other) noexcept;

    BufferView view() const { return {buffer_, 0, bytes_, memory_.mapped, address_}; }
    std::uint64_t bytes() const { return bytes_; }

  private:
    std::shared_ptr<Device> device_;
    VkBuffer buffer_ = VK_NULL_HANDLE;
    MemoryBlock memory_;
    std::uint64_t bytes_ = 0, allocated_ = 0, address_ = 0;
    std::uint32_t type_ = 0; // of memory
};

// Hands out parts of a few large buffers, in order, never taken back singly. Every part starts at a multiple of the
// device's storage offset alignment, so each can be bound by itself. A part never straddles two buffers.
class Arena {
  public:
    // `chunk_bytes` is the size of a buffer; a larger request gets one of its own, up to the device's largest
    // allocation. Fails with unsupported beyond that: such tensors must be split by their owner.
    Arena(std::shared_ptr<Device> device, MemoryKind kind, std::string name, std::uint64_t chunk_bytes);
    Result<BufferView> allocate(std::uint64_t bytes, std::string_view what);
    std::uint64_t allocated_bytes() const; // of the buffers, not of the parts

  private:
    std::shared_ptr<Device> device_;
    MemoryKind kind_;
    std::string name_;
    std::uint64_t chunk_bytes_;
    std::vector<Buffer> buffers_;
    std::uint64_t used_ = 0; // of the buffer that parts are cut from now, the one at index open_
    std::size_t open_ = 0;
};

} // namespace ff::gpu
