#include "runtime/gpu/memory.h"
#include "runtime/gpu/names.h"

#include <fmt/format.h>

#include <algorithm>

namespace ff::gpu {
namespace {

// Shaders read four words at a time, so a part starts at a multiple of 16 even where the device would bind any offset.
constexpr std::uint64_t kVectorBytes = 16;

std::uint64_t round_up(std::uint64_t value, std::uint64_t multiple) {
    return (value + multiple - 1) / multiple * multiple;
}

} // namespace

Arena::Arena(std::shared_ptr<Device> device, MemoryKind kind, std::string name, std::uint64_t chunk_bytes)
    : device_(std::move(device)), kind_(kind), name_(std::move(name)),
      chunk_bytes_(std::min(std::max<std::uint64_t>(1, chunk_bytes), device_->traits().max_allocation_bytes)) {}

Result<BufferView> Arena::allocate(std::uint64_t bytes, std::string_view what) {
    const DeviceTraits &traits = device_->traits();
    if (bytes == 0) return Error{Status::argument, fmt::format("{}: zero bytes were asked for", what)};
    if (bytes > traits.max_allocation_bytes)
        return Error{Status::unsupported,
                     fmt::format("{} is {}, {} allocates at most {} at once: it must be split", what,
                                 human_bytes(bytes), device_->info().name, human_bytes(traits.max_allocation_bytes))};

    const std::uint64_t alignment = std::max<std::uint64_t>(traits.storage_offset_alignment, kVectorBytes);
    const bool own = bytes > chunk_bytes_; // the open buffer stays open: what is left of it serves later requests
    if (!own && !buffers_.empty() && open_ < buffers_.size()) {
        const std::uint64_t at = round_up(used_, alignment);
        if (at <= buffers_[open_].bytes() && bytes <= buffers_[open_].bytes() - at) {
            used_ = at + bytes;
            return buffers_[open_].view().slice(at, bytes);
        }
    }
    FF_TRY_ASSIGN(Buffer buffer,
                  Buffer::create(device_, kind_, own ? bytes : chunk_bytes_,
                                 own ? std::string(what) : fmt::format("{} {}", name_, buffers_.size())));
    buffers_.push_back(std::move(buffer));
    if (!own) {
        open_ = buffers_.size() - 1;
        used_ = bytes;
    } else if (buffers_.size() == 1) {
        used_ = bytes; // open_ is this one, and full
    }
    return buffers_.back().view().slice(0, bytes);
}

std::uint64_t Arena::allocated_bytes() const {
    std::uint64_t sum = 0;
    for (const Buffer &buffer : buffers_) sum += buffer.bytes();
    return sum;
}

} // namespace ff::gpu
