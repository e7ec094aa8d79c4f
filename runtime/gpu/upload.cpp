#include "runtime/gpu/upload.h"

#include "runtime/gpu/command_buffer.h"
#include "runtime/gpu/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace ff::gpu {
namespace {

constexpr std::uint64_t kSlots = 4; // one is filled, one is copied, two are slack
constexpr std::uint64_t kSmallestSlot = 4096;
constexpr std::uint64_t kDownloadBytes = 64ULL << 20;

// Copies stand between everything before them on the queue and everything after.
void order_before(Commands &commands) {
    commands.barrier(VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_ACCESS_MEMORY_WRITE_BIT, VK_PIPELINE_STAGE_TRANSFER_BIT,
                     VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT);
}

void order_after(Commands &commands) {
    commands.barrier(VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_ALL_COMMANDS_BIT,
                     VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT);
}

} // namespace

struct Uploader::Impl {
    struct Slot {
        std::unique_ptr<Commands> commands;
        Buffer staging;
        std::uint64_t value = 0; // of the submission that reads it last
    };

    std::shared_ptr<Device> device;
    std::unique_ptr<Timeline> timeline;
    std::vector<Slot> slots;
    std::size_t next = 0;
    std::uint64_t slot_bytes = 0;

    Result<Slot *> take(std::uint64_t bytes); // the next slot, idle, with at least so much staging memory
    template <class Record>
    Result<void> submit(Slot &slot, const Record &record);
    Result<void> copy(Slot &slot, const BufferView &target);
};

Uploader::Uploader() : impl_(std::make_unique<Impl>()) {}
Uploader::Uploader(Uploader &&) noexcept = default;
Uploader &Uploader::operator=(Uploader &&) noexcept = default;
Uploader::~Uploader() {
    // Staging memory and command buffers may still be in use.
    if (impl_ != nullptr && impl_->timeline != nullptr) static_cast<void>(finish());
}

Result<Uploader> Uploader::create(std::shared_ptr<Device> device, std::uint64_t ring_bytes) {
    Uploader out;
    Impl &self = *out.impl_;
    self.slot_bytes = std::max(ring_bytes / kSlots, kSmallestSlot);
    if (!device->imagined()) {
        FF_TRY_ASSIGN(self.timeline, Timeline::create(device));
    }
    self.slots.resize(kSlots); // staging memory is made when first used: unified memory needs none
    self.device = std::move(device);
    return out;
}

Result<Uploader::Impl::Slot *> Uploader::Impl::take(std::uint64_t bytes) {
    Slot &slot = slots[next];
    next = (next + 1) % slots.size();
    FF_TRY(timeline->wait(slot.value));
    if (slot.commands == nullptr) {
        FF_TRY_ASSIGN(slot.commands, Commands::create(device, "upload"));
    }
    if (slot.staging.bytes() < bytes) {
        slot.staging = Buffer();
        FF_TRY_ASSIGN(slot.staging, Buffer::create(device, MemoryKind::upload, std::max(bytes, slot_bytes), "staging"));
    }
    return &slot;
}

template <class Record>
Result<void> Uploader::Impl::submit(Slot &slot, const Record &record) {
    FF_TRY(slot.commands->begin(VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT));
    order_before(*slot.commands);
    record(slot.commands->handle());
    order_after(*slot.commands);
    FF_TRY(slot.commands->end());
    const VkCommandBuffer handle = slot.commands->handle();
    FF_TRY_ASSIGN(slot.value, timeline->submit({&handle, 1}));
    return {};
}

Result<void> Uploader::Impl::copy(Slot &slot, const BufferView &target) {
    return submit(slot, [&](VkCommandBuffer commands) {
        const VkBufferCopy region{0, target.offset, target.bytes};
        device->vk().vkCmdCopyBuffer(commands, slot.staging.view().buffer, target.buffer, 1, &region);
    });
}

Result<void> Uploader::write(const BufferView &target, std::uint64_t granularity,
                             const std::function<Result<void>(std::span<std::byte> piece, std::uint64_t at)> &fill) {
    Impl &self = *impl_;
    if (granularity == 0) return Error{Status::argument, "upload: a granularity of zero bytes"};
    if (self.device->imagined()) return {};
    FF_TRY(self.device->check_not_lost());
    // In place too the work comes in pieces of a slot's size: so a caller sees both ways alike, and can be stopped.
    const std::uint64_t step = std::max(self.slot_bytes / granularity, std::uint64_t{1}) * granularity;
    for (std::uint64_t at = 0; at < target.bytes; at += step) {
        const std::uint64_t bytes = std::min(step, target.bytes - at);
        if (target.mapped != nullptr) {
            FF_TRY(fill({target.mapped + at, static_cast<std::size_t>(bytes)}, at));
            continue;
        }
        FF_TRY_ASSIGN(Impl::Slot *const slot, self.take(bytes));
        FF_TRY(fill({slot->staging.view().mapped, static_cast<std::size_t>(bytes)}, at));
        FF_TRY(self.copy(*slot, target.slice(at, bytes)));
    }
    return {};
}

Result<void> Uploader::write(const BufferView &target, std::span<const std::byte> bytes) {
    if (bytes.size() != target.bytes)
        return Error{Status::internal, fmt::format("upload: {} bytes for a target of {}", bytes.size(), target.bytes)};
    return write(target, 1, [&](std::span<std::byte> piece, std::uint64_t at) -> Result<void> {
        std::memcpy(piece.data(), bytes.data() + at, piece.size());
        return {};
    });
}

Result<void> Uploader::zero(const BufferView &target) {
    Impl &self = *impl_;
    if (target.bytes == 0 || self.device->imagined()) return {};
    if (target.mapped != nullptr) {
        std::memset(target.mapped, 0, static_cast<std::size_t>(target.bytes));
        return {};
    }
    // vkCmdFillBuffer fills whole words; ragged ends are copied.
    const std::uint64_t end = target.offset + target.bytes;
    const std::uint64_t first = std::min((target.offset + 3) / 4 * 4, end), last = std::max(end / 4 * 4, first);
    FF_TRY_ASSIGN(Impl::Slot *const slot, self.take(4));
    std::memset(slot->staging.view().mapped, 0, 4);
    return self.submit(*slot, [&](VkCommandBuffer commands) {
        const DeviceFunctions &vk = self.device->vk();
        const VkBuffer zeros = slot->staging.view().buffer;
        if (last > first) vk.vkCmdFillBuffer(commands, target.buffer, first, last - first, 0);
        const VkBufferCopy ends[] = {{0, target.offset, first - target.offset}, {0, last, end - last}};
        for (const VkBufferCopy &piece : ends)
            if (piece.size != 0) vk.vkCmdCopyBuffer(commands, zeros, target.buffer, 1, &piece);
    });
}

Result<void> Uploader::repeat(const BufferView &target, std::uint64_t written) {
    Impl &self = *impl_;
    if (self.device->imagined()) return {};
    if (written == 0) return Error{Status::argument, "upload: nothing to repeat"};
    // Twice as much each time: few copies, and each of them long.
    const auto each_copy = [&](const auto &copy) {
        for (std::uint64_t done = written; done < target.bytes; done *= 2)
            copy(done, std::min(done, target.bytes - done));
    };
    if (target.mapped != nullptr) {
        each_copy([&](std::uint64_t done, std::uint64_t bytes) {
            std::memcpy(target.mapped + done, target.mapped, static_cast<std::size_t>(bytes));
        });
        return {};
    }
    if (written >= target.bytes) return {};
    FF_TRY_ASSIGN(Impl::Slot *const slot, self.take(0));
    return self.submit(*slot, [&](VkCommandBuffer commands) {
        each_copy([&](std::uint64_t done, std::uint64_t bytes) {
            const VkBufferCopy region{target.offset, target.offset + done, bytes};
            self.device->vk().vkCmdCopyBuffer(commands, target.buffer, target.buffer, 1, &region);
            order_before(*slot->commands); // the next one reads this one's
        });
    });
}

Result<void> Uploader::finish() {
    if (impl_->device->imagined()) return {};
    return impl_->timeline->wait(impl_->timeline->submitted());
}

Result<std::vector<std::byte>> download(const std::shared_ptr<Device> &device, const BufferView &source) {
    std::vector<std::byte> out(static_cast<std::size_t>(source.bytes));
    if (out.empty()) return out;
    // Through a readback buffer even where the source is mapped: such memory may be uncached, and slow to read.
    const std::uint64_t step = std::min({source.bytes, kDownloadBytes, device->traits().max_allocation_bytes});
    FF_TRY_ASSIGN(const Buffer readback, Buffer::create(device, MemoryKind::readback, step, "download"));
    FF_TRY_ASSIGN(const std::unique_ptr<Commands> commands, Commands::create(device, "download"));
    FF_TRY_ASSIGN(const std::unique_ptr<Timeline> timeline, Timeline::create(device));
    for (std::uint64_t at = 0; at < source.bytes; at += step) {
        const std::uint64_t bytes = std::min(step, source.bytes - at);
        FF_TRY(commands->begin(VK_COMMAND_BUFFER_USAGE_ONE_TIME_SUBMIT_BIT));
        order_before(*commands);
        const VkBufferCopy region{source.offset + at, 0, bytes};
        device->vk().vkCmdCopyBuffer(commands->handle(), source.buffer, readback.view().buffer, 1, &region);
        commands->barrier(VK_PIPELINE_STAGE_TRANSFER_BIT, VK_ACCESS_TRANSFER_WRITE_BIT, VK_PIPELINE_STAGE_HOST_BIT,
                          VK_ACCESS_HOST_READ_BIT);
        FF_TRY(commands->end());
        const VkCommandBuffer handle = commands->handle();
        FF_TRY_ASSIGN(const std::uint64_t value, timeline->submit({&handle, 1}));
        FF_TRY(timeline->wait(value));
        std::memcpy(out.data() + at, readback.view().mapped, static_cast<std::size_t>(bytes));
    }
    return out;
}

} // namespace ff::gpu
