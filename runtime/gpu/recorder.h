// Records command buffers that are replayed as they are: descriptor sets are allocated for each launch and never
// change.
#pragma once

#include "runtime/gpu/barriers.h"
#include "runtime/gpu/pipeline.h"
#include "runtime/gpu/timestamps.h"

namespace ff::gpu {

struct LaunchDescription {
    const Pipeline *pipeline = nullptr;
    std::span<const BufferView> buffers{}; // binding 0, 1, ...
    std::span<const std::byte> push_constants{};
    std::array<std::uint32_t, 3> groups{1, 1, 1};
    BufferView indirect{};       // if set, three uint in it are the group counts instead
    std::span<const Use> uses{}; // the bytes really read and written, for barriers
    std::string_view label{};    // debug label of the launch
};

// A recorded command buffer with what it needs to live: destroy it after its last submission has finished.
class CommandBuffer {
  public:
    VkCommandBuffer handle() const;
    std::uint32_t launches() const, barriers() const;
    // Which launches had a barrier before them, in order.
    const std::vector<bool> &barrier_before() const;
    CommandBuffer(CommandBuffer &&) noexcept;
    CommandBuffer &operator=(CommandBuffer &&) noexcept;
    ~CommandBuffer();

  private:
    friend class Recorder;
    CommandBuffer();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// For many command buffers of the same launches: they share a command pool and the launches' descriptor sets. One
// thread at a time records from it, and destroys what was recorded.
class RecordingPool;
Result<std::shared_ptr<RecordingPool>> create_recording_pool(std::shared_ptr<Device> device, std::string_view name);

class Recorder {
  public:
    // `reusable`: may be submitted again while an earlier submission is still running. The first thing recorded is a
    // barrier that orders it after all earlier submissions of the queue. No `pool`: one of its own.
    static Result<Recorder> create(std::shared_ptr<Device> device, std::string_view name, bool reusable,
                                   std::shared_ptr<RecordingPool> pool = nullptr);
    // Goes on in a command buffer that somebody else is recording, outside a render pass, and whose submissions do not
    // overlap. The same barrier comes first; finish() ends with one that makes everything visible to all that follows,
    // and leaves the recording open. `pool` outlives the last submission.
    static Recorder append(VkCommandBuffer commands, std::shared_ptr<Device> device, std::string_view name,
                           std::shared_ptr<RecordingPool> pool);
    Recorder(Recorder &&) noexcept;
    ~Recorder();

    Result<void> launch(const LaunchDescription &launch);
    Result<void> copy(const BufferView &from, const BufferView &to, std::string_view label); // the smaller size of both
    void barrier(); // orders all that came before with all that follows, whatever it uses
    void timestamp(Timestamps &timestamps, std::uint32_t index); // after all earlier launches have finished
    // Ends with a barrier that makes everything visible to the host.
    Result<CommandBuffer> finish();

  private:
    Recorder();
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace ff::gpu
