// Where the sessions of a model keep their states: in slots on the device or, when there are more sessions than slots,
// in host memory. A session that is used gets a slot, and the least recently used one makes room for it. What it
// remembers does not change a bit on the way.
#pragma once

#include "runtime/engine/control_block.h"
#include "runtime/engine/session_bytes.h"
#include "runtime/gpu/recorder.h"
#include "runtime/gpu/timeline.h"
#include "runtime/model/plan.h"

#include <map>
#include <mutex>
#include <optional>

namespace ff::engine {

class StatePager {
  public:
    struct Statistics {
        std::uint32_t slots = 0;
        std::uint64_t ins = 0, outs = 0; // states brought to the device from host memory; sent there
    };

    // For `entries` sessions, of which `slots` have their state on the device. The model and its timeline outlive it.
    static Result<std::unique_ptr<StatePager>> create(std::shared_ptr<gpu::Device> device,
                                                      const model::LoadedModel &loaded, gpu::Timeline &timeline,
                                                      std::uint32_t entries, std::uint32_t slots);

    // From any thread. The control entry of a new session, whose state is the one before the first token; fails with
    // out_of_device_memory when all are taken.
    Result<std::uint32_t> take();
    void give(std::uint32_t entry);
    bool resident(std::uint32_t entry) const;
    std::uint32_t slots() const { return static_cast<std::uint32_t>(owners_.size()); }
    Statistics statistics() const;

    // --- under the model's mutex, with no step of the entry in flight.
    // Gives it a slot, which its control entry then names. Fails with out_of_device_memory when all are pinned.
    Result<void> bring_in(std::uint32_t entry);
    Result<void> send_out(std::uint32_t entry);
    // A pinned entry keeps its slot. Pins count.
    void pin(std::uint32_t entry);

    // --- from any thread again.
    // Gives it a slot and pins it, if that needs no other to leave.
    Result<bool> pin_without_eviction(std::uint32_t entry);
    void unpin(std::uint32_t entry);
    Result<void> wait(); // for the copies to the device that were begun

    // The states of all layers, one after the other, and the logits; wherever they are.
    struct State {
        std::vector<std::byte> states;
        std::vector<float> logits; // [V]
    };
    Result<State> read(std::uint32_t entry);
    Result<void> write(std::uint32_t entry, std::span<const std::byte> states, std::span<const float> logits);
    Result<void> reset(std::uint32_t entry);
    // Gives `to` the state of `from`: on the device if both have, or can have, a slot without sending another out.
    Result<void> copy(std::uint32_t from, std::uint32_t to);

  private:
    struct Page {
        bool taken = false;
        std::optional<std::uint32_t> slot;
        std::vector<std::byte> bytes; // without a slot: states, logits, counts; none: the state before the first token
        std::uint64_t used = 0;       // when, by clock_
        std::uint32_t pins = 0;
    };
    using Copies = std::map<std::pair<std::uint32_t, std::uint32_t>, gpu::CommandBuffer>;

    StatePager(std::shared_ptr<gpu::Device> device, const model::LoadedModel &loaded, gpu::Timeline &timeline);
    std::vector<gpu::BufferView> parts(std::uint32_t slot) const; // of a page, in its order
    std::vector<gpu::BufferView> parts(const gpu::Buffer &staging) const;
    Result<VkCommandBuffer> recorded(Copies &copies, std::pair<std::uint32_t, std::uint32_t> key, const char *what,
                                     std::span<const gpu::BufferView> from, std::span<const gpu::BufferView> to);
    Result<VkCommandBuffer> copy_in(std::uint32_t slot);  // from in_
    Result<VkCommandBuffer> copy_out(std::uint32_t slot); // to out_
    Result<void> stage(std::span<const std::byte> bytes); // into in_, when its last copy is over; none: initial state
    Result<void> put(std::uint32_t slot);                 // what was staged
    Result<std::span<const std::byte>> fetch(std::uint32_t slot);                 // valid until the next fetch
    Result<void> bring_into(Page &page, std::uint32_t entry, std::uint32_t slot); // that is free
    std::optional<std::uint32_t> free_slot() const;
    std::optional<std::uint32_t> victim() const; // an entry that may lose its slot
    void assign(std::uint32_t entry, std::uint32_t slot);
    std::vector<std::byte> initial() const;

    std::shared_ptr<gpu::Device> device_;
    const model::LoadedModel &loaded_;
    gpu::Timeline &timeline_;
    SessionBytes sizes_;
    gpu::Buffer in_, out_; // a page each; made when first needed, or at once where there are fewer slots than entries
    std::uint64_t in_value_ = 0;   // on the timeline: the last copy from in_
    std::uint64_t fork_value_ = 0; // the last copy from slot to slot
    Copies ins_, outs_, forks_;    // by slot

    mutable std::mutex mutex_;                         // of what follows
    std::vector<Page> pages_;                          // by entry
    std::vector<std::optional<std::uint32_t>> owners_; // by slot
    std::uint64_t clock_ = 0;
    Statistics statistics_;
};

} // namespace ff::engine
