#include "runtime/engine/model.h"

#include "runtime/engine/fingerprint.h"
#include "runtime/engine/recording.h"

#include <algorithm>
#include <chrono>
#include <fmt/format.h>
#include <set>

namespace ff::engine {
namespace {

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

} // namespace

Result<std::shared_ptr<Model>> Model::create(std::shared_ptr<Engine> engine, const loader::TensorSource &source,
                                             const loader::ModelDescription &description, const ModelOptions &options) {
    std::shared_ptr<Model> model(new Model);
    model->engine_ = std::move(engine);
    const auto start = Clock::now();
    FF_TRY_ASSIGN(const std::uint32_t resident, resident_sessions(description, options.max_sessions, kSpareSlots,
                                                                  options.state_memory_bytes));
    CompileAhead ahead(*model->engine_, source, description, options.weights);
    const FingerprintedSource seen(source);
    FF_TRY_ASSIGN(model->loaded_, model::LoadedModel::load(model->engine_->device(), seen, description,
                                                           {.weights = options.weights,
                                                            .slots = resident + kSpareSlots,
                                                            .entries = options.max_sessions,
                                                            .upload_ring_bytes = options.upload_ring_bytes}));
    FF_TRY_ASSIGN(model->fingerprint_, seen.fingerprint());
    model->statistics_.load_seconds = seconds_since(start);
    FF_TRY(model->prepare(options, ahead.finish()));
    return model;
}

Result<void> Model::prepare(const ModelOptions &options, const CompileAhead::Made &ahead) {
    const std::shared_ptr<gpu::Device> &device = engine_->device();
    const model::Plan &plan = loaded_->plan();
    const auto start = Clock::now();
    const std::uint64_t added_before = engine_->pipelines().statistics().cache_bytes_added;
    FF_TRY_ASSIGN(const std::vector<const gpu::Pipeline *> pipelines,
                  engine_->compile(plan.launches, options.weights.progress));
    statistics_.pipeline_seconds = ahead.seconds + seconds_since(start);
    statistics_.pipelines = static_cast<std::uint32_t>(std::set(pipelines.begin(), pipelines.end()).size());
    const gpu::PipelineSet::Statistics made = engine_->pipelines().statistics();
    statistics_.pipeline_cache_hit =
        made.cache_bytes_read > 0 && ahead.cache_bytes == 0 && made.cache_bytes_added == added_before;

    FF_TRY_ASSIGN(step_, record(device, "decode step", plan.launches, pipelines));
    step_counts_ = kernels::counts_of(plan.launches);
    ++statistics_.recordings;
    FF_TRY_ASSIGN(timeline_, gpu::Timeline::create(device));
    FF_TRY_ASSIGN(gpu::Uploader uploader, gpu::Uploader::create(device, 1ULL << 20));
    uploader_.push_back(std::move(uploader));
    FF_TRY_ASSIGN(readback_,
                  gpu::Buffer::create(device, gpu::MemoryKind::readback,
                                      std::uint64_t{4} * description().vocabulary * kReadbackRows, "readback"));
    costs_ = std::make_unique<LaunchCosts>(device->info().type);
    lanes_ = std::make_unique<LanePool>(*engine_, *loaded_);
    FF_TRY_ASSIGN(pager_, StatePager::create(device, *loaded_, *timeline_, options.max_sessions,
                                             loaded_->states().slots() - kSpareSlots));
    return {};
}

ModelStatistics Model::statistics() const {
    ModelStatistics now = statistics_;
    now.submissions = timeline_->queue_submits();
    now.launches = launches_;
    now.tunable_launches = tunable_launches_;
    now.tuned_launches = tuned_launches_;
    return now;
}

void Model::count(const kernels::LaunchCounts &step, std::uint64_t times) {
    launches_ += times * step.all;
    tunable_launches_ += times * step.tunable;
    tuned_launches_ += times * step.measured;
}

Model::~Model() {
    if (timeline_) (void)timeline_->wait(timeline_->submitted());
}

Result<std::uint64_t> Model::submit(std::uint32_t entry, std::span<const VkCommandBuffer> commands,
                                    std::uint32_t steps) {
    for (std::uint32_t i = 0; i < steps; ++i) control().enqueue(steps_submitted_ + i, entry);
    FF_TRY_ASSIGN(const std::uint64_t value, timeline_->submit(commands));
    steps_submitted_ += steps;
    count(step_counts_, steps);
    return value;
}

Result<VkCommandBuffer> Model::copy_of_slot(std::uint32_t from, std::uint32_t to) {
    const auto found = slot_copies_.find({from, to});
    if (found != slot_copies_.end()) return found->second.handle();
    FF_TRY_ASSIGN(gpu::Recorder recorder,
                  gpu::Recorder::create(engine_->device(), fmt::format("state {} to {}", from, to), true));
    const model::StateStore &states = loaded_->states();
    for (std::uint32_t layer = 0; layer < states.layers(); ++layer)
        FF_TRY(recorder.copy(states.slot(layer, from), states.slot(layer, to), "state"));
    FF_TRY_ASSIGN(gpu::CommandBuffer commands, recorder.finish());
    return slot_copies_.emplace(std::pair{from, to}, std::move(commands)).first->second.handle();
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

Result<WideStep *> Model::prompt_step(std::size_t tokens) {
    const std::uint32_t rows = loaded_->prompt_plan().rows, more = loaded_->long_prompt_rows();
    if (tokens > rows && more > rows && !long_prompts_refused_) {
        Result<WideStep *> longer = wide_step(more, 1);
        if (longer || longer.error().status != Status::out_of_device_memory) return longer;
        long_prompts_refused_ = true; // shorter steps have their memory
    }
    std::unique_ptr<WideStep> &step = wide_steps_[{rows, 1}];
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
        FF_TRY(plan->check_not_denied(device->traits()));
        FF_TRY(uploader_.front().finish());
        FF_TRY_ASSIGN(step, WideStep::create(*engine_, std::move(plan)));
    }
    return step.get();
}

Result<std::uint64_t> Model::submit_wide(std::span<const ControlBlock::Run> runs,
                                         const StepCommands &step) {
    control().enqueue_wide(wide_steps_submitted_, runs);
    FF_TRY_ASSIGN(const std::uint64_t value, timeline_->submit(step.handles()));
    ++wide_steps_submitted_;
    count(step.counts(), 1);
    return value;
}

const float *Model::readback_row(std::uint32_t row) const {
    return reinterpret_cast<const float *>(readback_.view().mapped) + std::size_t{row} * description().vocabulary;
}

Result<std::unique_ptr<gpu::CommandBuffer>> Model::timed_step(gpu::Timestamps &timestamps) {
    const std::span<const kernels::Launch> launches(loaded_->plan().launches);
    FF_TRY_ASSIGN(const std::vector<const gpu::Pipeline *> pipelines, engine_->compile(launches, {}));
    return record(engine_->device(), "timed decode step", launches, pipelines, {&timestamps, Timing::Every::launch});
}

} // namespace ff::engine
