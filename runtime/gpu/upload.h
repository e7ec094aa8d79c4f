// Host data into device memory: in place where memory is unified, else through a ring of staging buffers whose copies
// run while the host fills the next one.
#pragma once

#include "runtime/gpu/memory.h"
#include "runtime/gpu/timeline.h"

#include <functional>

namespace ff::gpu {

// Used from one thread. Copies go to the compute queue: a transfer queue of its own would need the buffers' ownership
// handed over, and loading happens before there is other work.
class Uploader {
  public:
    static Result<Uploader> create(std::shared_ptr<Device> device, std::uint64_t ring_bytes = 32ULL << 20);
    Uploader(Uploader &&) noexcept;
    Uploader &operator=(Uploader &&) noexcept;
    ~Uploader();

    // Calls fill(piece, at) for consecutive pieces of `target`: piece is where `target`'s bytes from `at` on are to be
    // written. Pieces but the last are multiples of `granularity` bytes (a row, say). Returns before the GPU is done.
    // A mapped target is written at once, without regard to what the GPU may still be reading there.
    Result<void> write(const BufferView &target, std::uint64_t granularity,
                       const std::function<Result<void>(std::span<std::byte> piece, std::uint64_t at)> &fill);
    Result<void> write(const BufferView &target, std::span<const std::byte> bytes);
    Result<void> zero(const BufferView &target); // vkCmdFillBuffer, or memset where mapped
    // Fills what follows the first `written` bytes of `target` by repeating them, on the device unless mapped.
    Result<void> repeat(const BufferView &target, std::uint64_t written);
    Result<void> finish();                       // waits until everything written is visible to later submissions

  private:
    Uploader();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// Copies device memory to the host and waits; for tests, snapshots and tools, not for the path of a token.
Result<std::vector<std::byte>> download(const std::shared_ptr<Device> &device, const BufferView &source);

} // namespace ff::gpu
