#include "runtime/gpu/recorder.h"

#include "runtime/gpu/command_buffer.h"

#include <fmt/format.h>

#include <algorithm>

namespace ff::gpu {
namespace {

constexpr VkPipelineStageFlags kCompute = VK_PIPELINE_STAGE_COMPUTE_SHADER_BIT,
                               kTransfer = VK_PIPELINE_STAGE_TRANSFER_BIT,
                               kIndirect = VK_PIPELINE_STAGE_DRAW_INDIRECT_BIT, kAll = kCompute | kTransfer | kIndirect;
constexpr VkAccessFlags kShaderUses = VK_ACCESS_SHADER_READ_BIT | VK_ACCESS_SHADER_WRITE_BIT,
                        kAllWrites = VK_ACCESS_SHADER_WRITE_BIT | VK_ACCESS_TRANSFER_WRITE_BIT,
                        kAllUses = kShaderUses | VK_ACCESS_TRANSFER_READ_BIT | VK_ACCESS_TRANSFER_WRITE_BIT |
                                   VK_ACCESS_INDIRECT_COMMAND_READ_BIT;
constexpr std::uint32_t kMaxGroupsYZ = 65535; // what every Vulkan device offers

} // namespace

struct Recorder::Impl {
    CommandBuffer::Impl &out() { return *buffer.impl_; }
    Error mistake(const LaunchDescription &launch, std::string_view what) const {
        return {Status::internal,
                fmt::format("launch {} ({}): {}", launch.label,
                            launch.pipeline != nullptr ? launch.pipeline->name : "no pipeline", what)};
    }
    Result<void> check(const LaunchDescription &launch) const;
    bool order(std::span<const Use> uses, bool beyond_compute);
    void full_barrier();
    void begin(std::string_view name);

    std::shared_ptr<Device> device;
    CommandBuffer buffer;
    BarrierTracker tracker;
    // Barriers between launches name the compute stage alone, which is cheaper on some devices. A copy or an indirect
    // launch that follows such barriers is not ordered by them and gets a full one.
    bool only_compute_ordered = false, copied_since_barrier = false;
    std::vector<VkQueryPool> reset_pools; // whose queries are all reset in this command buffer
    VkPipeline bound_pipeline = VK_NULL_HANDLE;
    VkPipelineLayout bound_layout = VK_NULL_HANDLE;
    VkDescriptorSet bound_set = VK_NULL_HANDLE;
};

Recorder::Recorder() : impl_(std::make_unique<Impl>()) {}
Recorder::Recorder(Recorder &&) noexcept = default;
Recorder::~Recorder() = default;

void Recorder::Impl::begin(std::string_view name) {
    device->begin_label(out().commands->handle(), name);
    out().commands->barrier(VK_PIPELINE_STAGE_ALL_COMMANDS_BIT, VK_ACCESS_MEMORY_WRITE_BIT, kAll, kAllUses);
}

Result<Recorder> Recorder::create(std::shared_ptr<Device> device, std::string_view name, bool reusable,
                                  std::shared_ptr<RecordingPool> pool) {
    Recorder out;
    Impl &self = *out.impl_;
    self.device = device;
    self.buffer.impl_ = std::make_unique<CommandBuffer::Impl>();
    if (!pool) {
        FF_TRY_ASSIGN(pool, RecordingPool::create(std::move(device), name));
    }
    FF_TRY_ASSIGN(self.out().commands, Commands::create(std::move(pool), name));
    FF_TRY(self.out().commands->begin(reusable ? VkCommandBufferUsageFlags{VK_COMMAND_BUFFER_USAGE_SIMULTANEOUS_USE_BIT}
                                               : 0U));
    self.begin(name);
    return out;
}

Recorder Recorder::append(VkCommandBuffer commands, std::shared_ptr<Device> device, std::string_view name,
                          std::shared_ptr<RecordingPool> pool) {
    Recorder out;
    Impl &self = *out.impl_;
    self.device = std::move(device);
    self.buffer.impl_ = std::make_unique<CommandBuffer::Impl>();
    self.out().commands = Commands::of_another(std::move(pool), commands, name);
    self.begin(name);
    return out;
}

void Recorder::Impl::full_barrier() {
    out().commands->barrier(kCompute | kTransfer, kAllWrites, kAll, kAllUses);
    only_compute_ordered = copied_since_barrier = false;
}

// Places a barrier if these uses, or a stage that earlier barriers left out, ask for one.
bool Recorder::Impl::order(std::span<const Use> uses, bool beyond_compute) {
    bool needed = tracker.needs_barrier_before(uses);
    if (beyond_compute && only_compute_ordered && !needed) {
        tracker.reset();
        static_cast<void>(tracker.needs_barrier_before(uses));
        needed = true;
    }
    if (!needed) return false;
    ++out().barriers;
    if (beyond_compute || copied_since_barrier) {
        full_barrier();
    } else {
        out().commands->barrier(kCompute, VK_ACCESS_SHADER_WRITE_BIT, kCompute, kShaderUses);
        only_compute_ordered = true;
    }
    return true;
}

Result<void> Recorder::Impl::check(const LaunchDescription &launch) const {
    if (launch.pipeline == nullptr) return mistake(launch, "it has no pipeline");
    const Pipeline &pipeline = *launch.pipeline;
    const DeviceTraits &traits = device->traits();
    if (launch.buffers.size() != pipeline.bindings)
        return mistake(launch, fmt::format("{} buffers are bound, the pipeline has {} bindings", launch.buffers.size(),
                                           pipeline.bindings));
    if (launch.push_constants.size() != pipeline.push_constant_bytes)
        return mistake(launch, fmt::format("{} bytes of push constants, the pipeline has {}",
                                           launch.push_constants.size(), pipeline.push_constant_bytes));
    if (launch.groups[0] > traits.max_workgroup_count_x || launch.groups[1] > kMaxGroupsYZ ||
        launch.groups[2] > kMaxGroupsYZ)
        return mistake(launch, fmt::format("{} x {} x {} workgroups, the device runs at most {} x {} x {}",
                                           launch.groups[0], launch.groups[1], launch.groups[2],
                                           traits.max_workgroup_count_x, kMaxGroupsYZ, kMaxGroupsYZ));
    for (std::size_t i = 0; i < launch.buffers.size(); ++i) {
        const BufferView &view = launch.buffers[i];
        if (view.buffer == VK_NULL_HANDLE || view.bytes == 0)
            return mistake(launch, fmt::format("binding {} is empty", i));
        if (view.bytes > traits.max_storage_buffer_range)
            return mistake(launch, fmt::format("binding {} covers {} bytes, the device binds at most {}", i, view.bytes,
                                               traits.max_storage_buffer_range));
        if (view.offset % traits.storage_offset_alignment != 0)
            return mistake(launch, fmt::format("binding {} starts at byte {}, not at a multiple of {}", i, view.offset,
                                               traits.storage_offset_alignment));
    }
    if (launch.indirect.buffer != VK_NULL_HANDLE && (launch.indirect.bytes < 12 || launch.indirect.offset % 4 != 0))
        return mistake(launch, fmt::format("its group counts are {} bytes at byte {}, not three uint",
                                           launch.indirect.bytes, launch.indirect.offset));
    return {};
}

Result<void> Recorder::launch(const LaunchDescription &launch) {
    Impl &self = *impl_;
    FF_TRY(self.check(launch));
    const Pipeline &pipeline = *launch.pipeline;
    const DeviceFunctions &vk = self.device->vk();
    const VkCommandBuffer commands = self.out().commands->handle();
    FF_TRY_ASSIGN(const VkDescriptorSet set, self.out().commands->sets().get(pipeline, launch.buffers));

    const bool indirect = launch.indirect.buffer != VK_NULL_HANDLE;
    std::vector<Use> uses(launch.uses.begin(), launch.uses.end());
    if (indirect) uses.push_back({launch.indirect.slice(0, 12), Access::read});
    self.out().barrier_before.push_back(self.order(uses, indirect));

    self.device->begin_label(commands, launch.label);
    if (self.bound_pipeline != pipeline.pipeline) {
        vk.vkCmdBindPipeline(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.pipeline);
        self.bound_pipeline = pipeline.pipeline;
    }
    if (pipeline.bindings != 0 && (self.bound_set != set || self.bound_layout != pipeline.layout)) {
        vk.vkCmdBindDescriptorSets(commands, VK_PIPELINE_BIND_POINT_COMPUTE, pipeline.layout, 0, 1, &set, 0, nullptr);
        self.bound_set = set;
        self.bound_layout = pipeline.layout;
    }
    if (!launch.push_constants.empty())
        vk.vkCmdPushConstants(commands, pipeline.layout, VK_SHADER_STAGE_COMPUTE_BIT, 0, pipeline.push_constant_bytes,
                              launch.push_constants.data());
    if (indirect)
        vk.vkCmdDispatchIndirect(commands, launch.indirect.buffer, launch.indirect.offset);
    else
        vk.vkCmdDispatch(commands, launch.groups[0], launch.groups[1], launch.groups[2]);
    self.device->end_label(commands);
    return {};
}

Result<void> Recorder::copy(const BufferView &from, const BufferView &to, std::string_view label) {
    Impl &self = *impl_;
    const std::uint64_t bytes = std::min(from.bytes, to.bytes);
    if (bytes == 0) return {};
    if (from.slice(0, bytes).overlaps(to.slice(0, bytes)))
        return Error{Status::internal, fmt::format("copy {}: source and target overlap", label)};
    const Use uses[] = {{from.slice(0, bytes), Access::read}, {to.slice(0, bytes), Access::write}};
    self.order(uses, /*beyond_compute=*/true);
    const VkCommandBuffer commands = self.out().commands->handle();
    self.device->begin_label(commands, label);
    const VkBufferCopy region{from.offset, to.offset, bytes};
    self.device->vk().vkCmdCopyBuffer(commands, from.buffer, to.buffer, 1, &region);
    self.device->end_label(commands);
    self.copied_since_barrier = true;
    return {};
}

void Recorder::barrier() {
    impl_->full_barrier();
    impl_->tracker.reset();
    ++impl_->out().barriers;
}

void Recorder::timestamp(Timestamps &timestamps, std::uint32_t index) {
    Impl &self = *impl_;
    if (index >= timestamps.count()) return;
    const DeviceFunctions &vk = self.device->vk();
    const VkCommandBuffer commands = self.out().commands->handle();
    // A query is reset before it is written again. All at once with the first: a reset costs some drivers a flush.
    const bool reset =
        std::find(self.reset_pools.begin(), self.reset_pools.end(), timestamps.pool()) != self.reset_pools.end();
    if (index == 0 && !reset) {
        vk.vkCmdResetQueryPool(commands, timestamps.pool(), 0, timestamps.count());
        self.reset_pools.push_back(timestamps.pool());
    } else if (!reset) {
        vk.vkCmdResetQueryPool(commands, timestamps.pool(), index, 1);
    }
    vk.vkCmdWriteTimestamp(commands, VK_PIPELINE_STAGE_BOTTOM_OF_PIPE_BIT, timestamps.pool(), index);
}

Result<CommandBuffer> Recorder::finish() {
    Impl &self = *impl_;
    Commands &commands = *self.out().commands;
    if (commands.owned())
        commands.barrier(kCompute | kTransfer, kAllWrites, VK_PIPELINE_STAGE_HOST_BIT, VK_ACCESS_HOST_READ_BIT);
    else
        commands.barrier(kCompute | kTransfer, kAllWrites,
                         VK_PIPELINE_STAGE_ALL_COMMANDS_BIT | VK_PIPELINE_STAGE_HOST_BIT,
                         VK_ACCESS_MEMORY_READ_BIT | VK_ACCESS_MEMORY_WRITE_BIT | VK_ACCESS_HOST_READ_BIT);
    self.device->end_label(commands.handle());
    if (commands.owned()) FF_TRY(commands.end());
    return std::move(self.buffer);
}

} // namespace ff::gpu
