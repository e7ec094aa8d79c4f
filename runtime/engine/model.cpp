#include "runtime/engine/model.h"

#include "runtime/engine/fingerprint.h"
#include "runtime/engine/recording.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>

namespace ff::engine {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Result<void> record_slot_copy(gpu::Recorder &recorder, const model::StateStore &states, std::uint32_t from,
                              std::uint32_t to) {
    for (std::uint32_t layer = 0; layer < states.layers(); ++layer)
        FF_TRY(recorder.copy(states.slot(layer, from), states.slot(layer, to), "state"));
    return {};
}

} // namespace

Result<std::shared_ptr<Model>> Model::create(std::shared_ptr<Engine> engine, const loader::TensorSource &source,
                                             const loader::ModelDescription &description, const ModelOptions &options) {
    std::shared_ptr<Model> model(new Model);
    model->engine_ = std::move(engine);
    model->max_sessions_ = options.max_sessions;
    const auto start = Clock::now();
    const FingerprintedSource seen(source);
    FF_TRY_ASSIGN(model->loaded_, model::LoadedModel::load(model->engine_->device(), seen, description,
                                                           {.weights = options.weights,
                                                            .slots = options.max_sessions + 2,
                                                            .entries = options.max_sessions,
                                                            .upload_ring_bytes = options.upload_ring_bytes}));
    FF_TRY_ASSIGN(model->fingerprint_, seen.fingerprint());
    model->statistics_.load_seconds = seconds_since(start);
    FF_TRY(model->prepare(options));
    return model;
}

Result<void> Model::prepare(const ModelOptions &options) {
    const std::shared_ptr<gpu::Device> &device = engine_->device();
    const model::Plan &plan = loaded_->plan();
    const auto start = Clock::now();
    FF_TRY_ASSIGN(const std::vector<const gpu::Pipeline *> pipelines,
                  engine_->compile(plan.launches, options.weights.progress));
    statistics_.pipeline_seconds = seconds_since(start);
    const gpu::PipelineSet::Statistics made = engine_->pipelines().statistics();
    statistics_.pipelines = made.compiled;
    statistics_.pipeline_cache_hit = made.cache_bytes_read > 0;

    FF_TRY_ASSIGN(step_, record(device, "decode step", plan.launches, pipelines));
    statistics_.recordings = 1;
    FF_TRY_ASSIGN(timeline_, gpu::Timeline::create(device));
    FF_TRY_ASSIGN(gpu::Uploader uploader, gpu::Uploader::create(device, 1ULL << 20));
    uploader_.push_back(std::move(uploader));
    FF_TRY_ASSIGN(readback_,
                  gpu::Buffer::create(device, gpu::MemoryKind::readback,
                                      std::uint64_t{4} * description().vocabulary * kReadbackRows, "readback"));
    costs_ = std::make_unique<LaunchCosts>(device->info().type);
    lanes_ = std::make_unique<LanePool>(*engine_, *loaded_);
    slot_taken_.assign(max_sessions_, false);
    for (std::uint32_t slot = 0; slot < max_sessions_; ++slot) control().entry(slot).slot = slot;
    return {};
}

Model::~Model() {
    if (timeline_) (void)timeline_->wait(timeline_->submitted());
}

Result<std::uint32_t> Model::take_slot() {
    const std::lock_guard lock(slots_mutex_);
    const auto free = std::find(slot_taken_.begin(), slot_taken_.end(), false);
    if (free == slot_taken_.end())
        return Error{Status::out_of_device_memory,
                     fmt::format("all {} sessions of this model are in use; destroy one, or "
                                 "load the model with a larger max_sessions",
                                 max_sessions_)};
    *free = true;
    return static_cast<std::uint32_t>(free - slot_taken_.begin());
}

void Model::give_slot(std::uint32_t slot) {
    const std::lock_guard lock(slots_mutex_);
    slot_taken_[slot] = false;
}

Result<std::uint64_t> Model::submit(std::uint32_t entry, std::span<const VkCommandBuffer> commands,
                                    std::uint32_t steps) {
    for (std::uint32_t i = 0; i < steps; ++i) control().enqueue(steps_submitted_ + i, entry);
    FF_TRY_ASSIGN(const std::uint64_t value, timeline_->submit(commands));
    steps_submitted_ += steps;
    return value;
}

Result<VkCommandBuffer> Model::copy_of_slot(std::uint32_t from, std::uint32_t to) {
    const auto found = slot_copies_.find({from, to});
    if (found != slot_copies_.end()) return found->second.handle();
    FF_TRY_ASSIGN(gpu::Recorder recorder,
                  gpu::Recorder::create(engine_->device(), fmt::format("state {} to {}", from, to), true));
    FF_TRY(record_slot_copy(recorder, loaded_->states(), from, to));
    FF_TRY_ASSIGN(gpu::CommandBuffer commands, recorder.finish());
    return slot_copies_.emplace(std::pair{from, to}, std::move(commands)).first->second.handle();
}

Result<VkCommandBuffer> Model::copy_of_session(std::uint32_t from, std::uint32_t to) {
    const auto found = session_copies_.find({from, to});
    if (found != session_copies_.end()) return found->second.handle();
    FF_TRY_ASSIGN(gpu::Recorder recorder,
                  gpu::Recorder::create(engine_->device(), fmt::format("session {} to {}", from, to), true));
    FF_TRY(record_slot_copy(recorder, loaded_->states(), from, to));
    FF_TRY(recorder.copy(loaded_->logits(from), loaded_->logits(to), "logits"));
    FF_TRY_ASSIGN(gpu::CommandBuffer commands, recorder.finish());
    return session_copies_.emplace(std::pair{from, to}, std::move(commands)).first->second.handle();
}

Result<VkCommandBuffer> Model::copy_of_logits(std::uint32_t slot, std::uint32_t row) {
    const auto found = logits_copies_.find({slot, row});
    if (found != logits_copies_.end()) return found->second.handle();
    FF_TRY_ASSIGN(gpu::Recorder recorder,
                  gpu::Recorder::create(engine_->device(), fmt::format("logits {}", slot), true));
    const std::uint64_t bytes = std::uint64_t{4} * description().vocabulary;
    FF_TRY(recorder.copy(loaded_->logits(slot), readback_.view().slice(row * bytes, bytes), "logits"));
    FF_TRY_ASSIGN(gpu::CommandBuffer commands, recorder.finish());
    return logits_copies_.emplace(std::pair{slot, row}, std::move(commands)).first->second.handle();
}

Result<WideStep *> Model::prompt_step() {
    std::unique_ptr<WideStep> &step = wide_steps_[{loaded_->prompt_plan().rows, 1}];
    if (!step) {
        FF_TRY_ASSIGN(step, WideStep::create(*engine_, loaded_->prompt_plan()));
    }
    return step.get();
}

Result<WideStep *> Model::wide_step(std::uint32_t rows, std::uint32_t runs) {
    std::unique_ptr<WideStep> &step = wide_steps_[{rows, runs}];
    if (!step) {
        const std::shared_ptr<gpu::Device> &device = engine_->device();
        FF_TRY(device->check_memory(fmt::format("steps of {} tokens for {} sessions", rows, runs),
                                    loaded_->wide_plan_bytes(rows, runs, device->traits())));
        FF_TRY_ASSIGN(std::unique_ptr<model::WidePlan> plan,
                      loaded_->make_wide_plan(device, uploader_.front(), rows, runs));
        FF_TRY(uploader_.front().finish());
        FF_TRY_ASSIGN(step, WideStep::create(*engine_, std::move(plan)));
    }
    return step.get();
}

Result<std::uint64_t> Model::submit_wide(std::span<const ControlBlock::Run> runs,
                                         std::span<const VkCommandBuffer> commands) {
    control().enqueue_wide(wide_steps_submitted_, runs);
    FF_TRY_ASSIGN(const std::uint64_t value, timeline_->submit(commands));
    ++wide_steps_submitted_;
    return value;
}

const float *Model::readback_row(std::uint32_t row) const {
    return reinterpret_cast<const float *>(readback_.view().mapped) + std::size_t{row} * description().vocabulary;
}

Result<std::vector<std::byte>> Model::read_slot(std::uint32_t slot) {
    const model::StateStore &states = loaded_->states();
    const std::uint64_t layer_bytes = states.layout().slot_bytes;
    FF_TRY_ASSIGN(const gpu::Buffer target, gpu::Buffer::create(engine_->device(), gpu::MemoryKind::readback,
                                                                states.bytes_per_slot(), "snapshot"));
    FF_TRY_ASSIGN(gpu::Recorder recorder, gpu::Recorder::create(engine_->device(), "snapshot", false));
    for (std::uint32_t layer = 0; layer < states.layers(); ++layer)
        FF_TRY(recorder.copy(states.slot(layer, slot), target.view().slice(layer * layer_bytes, layer_bytes), "state"));
    FF_TRY_ASSIGN(const gpu::CommandBuffer commands, recorder.finish());
    const VkCommandBuffer handle = commands.handle();
    FF_TRY_ASSIGN(const std::uint64_t value, timeline_->submit(std::span(&handle, 1)));
    FF_TRY(timeline_->wait(value));
    const std::byte *mapped = target.view().mapped;
    return std::vector<std::byte>(mapped, mapped + states.bytes_per_slot());
}

Result<void> Model::write_slot(std::uint32_t slot, std::span<const std::byte> bytes) {
    const model::StateStore &states = loaded_->states();
    const std::uint64_t layer_bytes = states.layout().slot_bytes;
    for (std::uint32_t layer = 0; layer < states.layers(); ++layer)
        FF_TRY(uploader_.front().write(states.slot(layer, slot), bytes.subspan(layer * layer_bytes, layer_bytes)));
    return uploader_.front().finish();
}

Result<void> Model::write_logits(std::uint32_t slot, std::span<const float> logits) {
    FF_TRY(uploader_.front().write(loaded_->logits(slot), std::as_bytes(logits)));
    return uploader_.front().finish();
}

Result<void> Model::reset_slot(std::uint32_t slot) {
    const std::vector<std::byte> initial = loaded_->states().initial_layer();
    for (std::uint32_t layer = 0; layer < loaded_->states().layers(); ++layer)
        FF_TRY(uploader_.front().write(loaded_->states().slot(layer, slot), initial));
    return uploader_.front().finish();
}

Result<std::unique_ptr<gpu::CommandBuffer>> Model::timed_step(gpu::Timestamps &timestamps) {
    const std::span<const kernels::Launch> launches(loaded_->plan().launches);
    FF_TRY_ASSIGN(const std::vector<const gpu::Pipeline *> pipelines, engine_->compile(launches, {}));
    return record(engine_->device(), "timed decode step", launches, pipelines, {&timestamps, Timing::Every::launch});
}

} // namespace ff::engine
