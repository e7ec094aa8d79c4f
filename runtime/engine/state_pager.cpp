#include "runtime/engine/state_pager.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <utility>

namespace ff::engine {

StatePager::StatePager(std::shared_ptr<gpu::Device> device, const model::LoadedModel &loaded, gpu::Timeline &timeline)
    : device_(std::move(device)), loaded_(loaded), timeline_(timeline), sizes_(session_bytes(loaded.description())) {}

Result<std::unique_ptr<StatePager>> StatePager::create(std::shared_ptr<gpu::Device> device,
                                                       const model::LoadedModel &loaded, gpu::Timeline &timeline,
                                                       std::uint32_t entries, std::uint32_t slots) {
    std::unique_ptr<StatePager> pager(new StatePager(std::move(device), loaded, timeline));
    pager->pages_.resize(entries);
    pager->owners_.resize(slots);
    pager->statistics_.slots = slots;
    if (slots < entries) { // so that running out of memory is told when the model is loaded
        FF_TRY(pager->stage({}));
        FF_TRY(pager->copy_out(0));
    }
    return pager;
}

Result<std::uint32_t> StatePager::take() {
    const std::lock_guard lock(mutex_);
    const auto free = std::ranges::find(pages_, false, &Page::taken);
    if (free == pages_.end())
        return Error{Status::out_of_device_memory,
                     fmt::format("all {} sessions of this model are in use; destroy one, or "
                                 "load the model with a larger max_sessions",
                                 pages_.size())};
    *free = {};
    free->taken = true;
    return static_cast<std::uint32_t>(free - pages_.begin());
}

void StatePager::give(std::uint32_t entry) {
    const std::lock_guard lock(mutex_);
    Page &page = pages_[entry];
    if (page.slot) owners_[*page.slot].reset();
    page = {};
}

bool StatePager::resident(std::uint32_t entry) const {
    const std::lock_guard lock(mutex_);
    return pages_[entry].slot.has_value();
}

StatePager::Statistics StatePager::statistics() const {
    const std::lock_guard lock(mutex_);
    return statistics_;
}

void StatePager::pin(std::uint32_t entry) {
    const std::lock_guard lock(mutex_);
    ++pages_[entry].pins;
}

void StatePager::unpin(std::uint32_t entry) {
    const std::lock_guard lock(mutex_);
    --pages_[entry].pins;
}

std::vector<gpu::BufferView> StatePager::parts(std::uint32_t slot) const {
    std::vector<gpu::BufferView> parts;
    for (std::uint32_t layer = 0; layer < loaded_.states().layers(); ++layer)
        parts.push_back(loaded_.states().slot(layer, slot));
    parts.push_back(loaded_.logits(slot));
    parts.push_back(loaded_.history(slot));
    return parts;
}

std::vector<gpu::BufferView> StatePager::parts(const gpu::Buffer &staging) const {
    std::vector<gpu::BufferView> parts = this->parts(0);
    std::uint64_t at = 0;
    for (gpu::BufferView &part : parts) {
        const std::uint64_t bytes = part.bytes;
        part = staging.view().slice(at, bytes);
        at += bytes;
    }
    return parts;
}

Result<VkCommandBuffer> StatePager::recorded(Copies &copies, std::pair<std::uint32_t, std::uint32_t> key,
                                             const char *what, std::span<const gpu::BufferView> from,
                                             std::span<const gpu::BufferView> to) {
    if (const auto found = copies.find(key); found != copies.end()) return found->second.handle();
    FF_TRY_ASSIGN(gpu::Recorder recorder,
                  gpu::Recorder::create(device_, fmt::format("{} {} {}", what, key.first, key.second), true));
    for (std::size_t i = 0; i < from.size(); ++i) FF_TRY(recorder.copy(from[i], to[i], "state"));
    FF_TRY_ASSIGN(gpu::CommandBuffer commands, recorder.finish());
    return copies.emplace(key, std::move(commands)).first->second.handle();
}

Result<VkCommandBuffer> StatePager::copy_in(std::uint32_t slot) {
    return recorded(ins_, {slot, slot}, "state in", parts(in_), parts(slot));
}

Result<VkCommandBuffer> StatePager::copy_out(std::uint32_t slot) {
    if (out_.bytes() == 0) {
        FF_TRY_ASSIGN(out_, gpu::Buffer::create(device_, gpu::MemoryKind::readback, sizes_.device, "state out"));
    }
    return recorded(outs_, {slot, slot}, "state out", parts(slot), parts(out_));
}

std::vector<std::byte> StatePager::initial() const {
    const std::vector<std::byte> layer = loaded_.states().initial_layer();
    std::vector<std::byte> bytes;
    bytes.reserve(sizes_.device);
    for (std::uint32_t i = 0; i < loaded_.states().layers(); ++i) bytes.insert(bytes.end(), layer.begin(), layer.end());
    bytes.resize(sizes_.device, std::byte{0});
    return bytes;
}

Result<void> StatePager::stage(std::span<const std::byte> bytes) {
    if (in_.bytes() == 0) {
        FF_TRY_ASSIGN(in_, gpu::Buffer::create(device_, gpu::MemoryKind::upload, sizes_.device, "state in"));
    }
    FF_TRY(timeline_.wait(in_value_));
    if (bytes.empty()) {
        const std::vector<std::byte> made = initial();
        std::memcpy(in_.view().mapped, made.data(), made.size());
    } else {
        std::memcpy(in_.view().mapped, bytes.data(), bytes.size());
    }
    return {};
}

Result<void> StatePager::put(std::uint32_t slot) {
    FF_TRY_ASSIGN(const VkCommandBuffer in, copy_in(slot));
    FF_TRY_ASSIGN(in_value_, timeline_.submit(std::span(&in, 1)));
    return {};
}

Result<std::span<const std::byte>> StatePager::fetch(std::uint32_t slot) {
    FF_TRY_ASSIGN(const VkCommandBuffer out, copy_out(slot));
    FF_TRY_ASSIGN(const std::uint64_t value, timeline_.submit(std::span(&out, 1)));
    FF_TRY(timeline_.wait(value));
    return std::span<const std::byte>(out_.view().mapped, sizes_.device);
}

std::optional<std::uint32_t> StatePager::free_slot() const {
    const auto free = std::ranges::find_if(owners_, [](const auto &owner) { return !owner; });
    if (free == owners_.end()) return std::nullopt;
    return static_cast<std::uint32_t>(free - owners_.begin());
}

std::optional<std::uint32_t> StatePager::victim() const {
    std::optional<std::uint32_t> oldest;
    for (const std::optional<std::uint32_t> &owner : owners_)
        if (owner && pages_[*owner].pins == 0 && (!oldest || pages_[*owner].used < pages_[*oldest].used))
            oldest = owner;
    return oldest;
}

void StatePager::assign(std::uint32_t entry, std::uint32_t slot) {
    owners_[slot] = entry;
    pages_[entry].slot = slot;
    ControlBlock(loaded_.control()).entry(entry).slot = slot;
}

Result<void> StatePager::bring_into(Page &page, std::uint32_t entry, std::uint32_t slot) {
    const bool kept = !page.bytes.empty();
    FF_TRY(stage(page.bytes));
    FF_TRY(put(slot));
    page.bytes = {};
    assign(entry, slot);
    if (kept) ++statistics_.ins;
    return {};
}

Result<bool> StatePager::pin_without_eviction(std::uint32_t entry) {
    const std::lock_guard lock(mutex_);
    Page &page = pages_[entry];
    const std::optional<std::uint32_t> free = page.slot ? std::nullopt : free_slot();
    if (!page.slot && !free) return false;
    if (free) FF_TRY(bring_into(page, entry, *free));
    page.used = ++clock_;
    ++page.pins;
    return true;
}

Result<void> StatePager::wait() {
    const std::lock_guard lock(mutex_);
    return timeline_.wait(std::max(in_value_, fork_value_));
}

Result<void> StatePager::bring_in(std::uint32_t entry) {
    const std::lock_guard lock(mutex_);
    Page &page = pages_[entry];
    page.used = ++clock_;
    if (page.slot) return {};
    if (const std::optional<std::uint32_t> slot = free_slot()) return bring_into(page, entry, *slot);
    const std::optional<std::uint32_t> other = victim();
    if (!other)
        return Error{Status::out_of_device_memory,
                     fmt::format("all {} states that the model keeps on the device are of sessions in batches or "
                                 "slices; end one, or load the model with more state_memory_bytes",
                                 owners_.size())};
    const bool kept = !page.bytes.empty();
    Page &going = pages_[*other];
    const std::uint32_t slot_of_both = *going.slot;
    std::vector<std::byte> room; // allocated before anything happens, or what the one that comes leaves behind
    if (!kept) room.resize(sizes_.device);
    FF_TRY(stage(page.bytes));
    FF_TRY_ASSIGN(const VkCommandBuffer out, copy_out(slot_of_both));
    FF_TRY_ASSIGN(const VkCommandBuffer in, copy_in(slot_of_both));
    const VkCommandBuffer both[] = {out, in};
    FF_TRY_ASSIGN(in_value_, timeline_.submit(both));
    FF_TRY(timeline_.wait(in_value_ - 1));
    if (kept) room = std::exchange(page.bytes, {});
    std::memcpy(room.data(), out_.view().mapped, sizes_.device);
    going.bytes = std::move(room);
    going.slot.reset();
    ++statistics_.outs;
    assign(entry, slot_of_both);
    if (kept) ++statistics_.ins;
    return {};
}

Result<void> StatePager::send_out(std::uint32_t entry) {
    const std::lock_guard lock(mutex_);
    Page &page = pages_[entry];
    if (!page.slot) return {};
    FF_TRY_ASSIGN(const std::span<const std::byte> bytes, fetch(*page.slot));
    page.bytes.assign(bytes.begin(), bytes.end());
    owners_[*page.slot].reset();
    page.slot.reset();
    ++statistics_.outs;
    return {};
}

Result<StatePager::State> StatePager::read(std::uint32_t entry) {
    const std::lock_guard lock(mutex_);
    const Page &page = pages_[entry];
    const std::vector<std::byte> fresh = !page.slot && page.bytes.empty() ? initial() : std::vector<std::byte>();
    std::span<const std::byte> bytes = fresh.empty() ? std::span(page.bytes) : std::span(fresh);
    if (page.slot) {
        FF_TRY_ASSIGN(bytes, fetch(*page.slot));
    }
    State state;
    const std::span<const std::byte> states = bytes.first(sizes_.states);
    state.states.assign(states.begin(), states.end());
    state.logits.resize(loaded_.description().vocabulary);
    std::memcpy(state.logits.data(), bytes.data() + sizes_.states, 4 * state.logits.size());
    return state;
}

Result<void> StatePager::write(std::uint32_t entry, std::span<const std::byte> states, std::span<const float> logits) {
    std::vector<std::byte> bytes(sizes_.device, std::byte{0});
    std::ranges::copy(states, bytes.begin());
    std::ranges::copy(std::as_bytes(logits), bytes.begin() + static_cast<std::ptrdiff_t>(sizes_.states));
    const std::lock_guard lock(mutex_);
    Page &page = pages_[entry];
    if (page.slot) {
        FF_TRY(stage(bytes));
        return put(*page.slot);
    }
    page.bytes = std::move(bytes);
    return {};
}

Result<void> StatePager::reset(std::uint32_t entry) {
    const std::lock_guard lock(mutex_);
    Page &page = pages_[entry];
    page.bytes = {};
    if (!page.slot) return {};
    FF_TRY(stage({}));
    return put(*page.slot);
}

Result<void> StatePager::copy(std::uint32_t from, std::uint32_t to) {
    const std::lock_guard lock(mutex_);
    const Page &origin = pages_[from];
    Page &page = pages_[to];
    if (!origin.slot) {
        page.bytes = origin.bytes;
        return {};
    }
    if (const std::optional<std::uint32_t> slot = free_slot()) {
        FF_TRY_ASSIGN(const VkCommandBuffer fork,
                      recorded(forks_, {*origin.slot, *slot}, "state fork", parts(*origin.slot), parts(*slot)));
        FF_TRY_ASSIGN(fork_value_, timeline_.submit(std::span(&fork, 1)));
        page.used = ++clock_;
        assign(to, *slot);
        return {};
    }
    FF_TRY_ASSIGN(const std::span<const std::byte> bytes, fetch(*origin.slot));
    page.bytes.assign(bytes.begin(), bytes.end());
    return {};
}

} // namespace ff::engine
