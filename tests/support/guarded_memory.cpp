#include "tests/support/guarded_memory.h"

#include "tests/support/gpu_fixture.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <fmt/format.h>

namespace ff::test {
namespace {

constexpr std::uint32_t kGuard = 0x7fc0dead; // a NaN
constexpr std::uint64_t kGuardBytes = 64;

std::uint64_t up(std::uint64_t bytes, std::uint64_t step) {
    return (bytes + step - 1) / step * step;
}

bool covers(std::span<const gpu::BufferView> views, std::uint64_t offset) {
    return std::any_of(views.begin(), views.end(), [&](const gpu::BufferView &view) {
        return offset >= view.offset && offset < view.offset + view.bytes;
    });
}

} // namespace

GuardedMemory::GuardedMemory(std::string name, std::uint64_t bytes)
    : name_(std::move(name)),
      buffer_(must(gpu::Buffer::create(device(), gpu::MemoryKind::device, up(bytes, 256), name_))),
      before_(up(bytes, 256) / 4, kGuard) {}

gpu::BufferView GuardedMemory::put(std::span<const std::uint32_t> words) {
    const std::uint64_t offset = up(used_, std::max(256U, device()->traits().storage_offset_alignment));
    const std::uint64_t bytes = words.size_bytes();
    used_ = offset + up(bytes, 32) + kGuardBytes;
    if (used_ > buffer_.bytes())
        fail(
            {Status::internal, fmt::format("{}: {} bytes were planned, {} are needed", name_, buffer_.bytes(), used_)});
    const auto first = before_.begin() + static_cast<std::ptrdiff_t>(offset / 4);
    std::fill_n(std::copy(words.begin(), words.end(), first), (up(bytes, 32) - bytes) / 4, 0);
    return whole().slice(offset, bytes);
}

gpu::BufferView GuardedMemory::put(std::span<const float> values) {
    std::vector<std::uint32_t> words(values.size());
    std::transform(values.begin(), values.end(), words.begin(),
                   [](float x) { return std::bit_cast<std::uint32_t>(x); });
    return put(std::span<const std::uint32_t>(words));
}

void GuardedMemory::may_change(const gpu::BufferView &view) {
    allowed_.push_back(view);
}

void GuardedMemory::set(const gpu::BufferView &view, std::span<const std::uint32_t> words) {
    std::copy(words.begin(), words.end(), before_.begin() + static_cast<std::ptrdiff_t>(view.offset / 4));
}

void GuardedMemory::upload() const {
    must(uploader().write(whole(), std::as_bytes(std::span(before_))));
    must(uploader().finish());
}

void GuardedMemory::download() {
    const std::vector<std::byte> bytes = must(gpu::download(device(), whole()));
    after_.resize(bytes.size() / 4);
    std::memcpy(after_.data(), bytes.data(), bytes.size());
}

std::vector<std::uint32_t> GuardedMemory::words(const gpu::BufferView &view) const {
    const auto first = after_.begin() + static_cast<std::ptrdiff_t>(view.offset / 4);
    return {first, first + static_cast<std::ptrdiff_t>(view.bytes / 4)};
}

std::vector<float> GuardedMemory::floats(const gpu::BufferView &view) const {
    std::vector<float> values;
    for (const std::uint32_t word : words(view)) values.push_back(std::bit_cast<float>(word));
    return values;
}

std::string GuardedMemory::stray(std::span<const gpu::BufferView> declared) const {
    std::vector<gpu::BufferView> ours;
    for (const gpu::BufferView &view : declared)
        if (view.buffer == whole().buffer) ours.push_back(view);
    for (std::size_t i = 0; i < before_.size(); ++i) {
        if (before_[i] == after_[i]) continue;
        if (!covers(allowed_, 4 * i))
            return fmt::format("{}: byte {} changed from {:#x} to {:#x}, which it must not", name_, 4 * i, before_[i],
                               after_[i]);
        if (!covers(ours, 4 * i))
            return fmt::format("{}: byte {} was written, but no launch says so in its uses", name_, 4 * i);
    }
    return "";
}

} // namespace ff::test
