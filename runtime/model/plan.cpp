#include "runtime/model/plan.h"

#include "runtime/kernels/launches.h"
#include "runtime/kernels/places.h"
#include "shaders/lib/interface.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace ff::model {
namespace {

constexpr std::uint64_t kChunkBytes = 256ULL << 20;

// Segment tables: each matrix of a mix_project is one segment, and one more for every binding range it is cut at.
std::uint64_t segment_bytes(const Architecture &architecture, const loader::ModelDescription &description,
                            std::uint64_t matrix_bytes, const gpu::DeviceTraits &traits) {
    const std::uint64_t segments = std::uint64_t{description.layers} * architecture.segments_per_layer();
    const std::uint64_t cuts =
        2 * segments + 2 * matrix_bytes / std::max<std::uint64_t>(traits.max_storage_buffer_range, 1);
    return 4ULL * shader::kSegmentWords * (segments + cuts);
}

} // namespace

std::uint64_t Plan::bytes() const {
    return std::accumulate(launches.begin(), launches.end(), std::uint64_t{0},
                           [](std::uint64_t sum, const kernels::Launch &launch) { return sum + launch.bytes; });
}

std::vector<bool> Plan::barriers_before() const {
    gpu::BarrierTracker tracker;
    std::vector<bool> before;
    for (const kernels::Launch &launch : launches) {
        std::vector<gpu::Use> uses;
        for (const kernels::NamedUse &use : launch.uses) uses.push_back({use.view, use.access});
        before.push_back(tracker.needs_barrier_before(uses));
    }
    return before;
}

Result<std::unique_ptr<LoadedModel>> LoadedModel::load(std::shared_ptr<gpu::Device> device,
                                                       const loader::TensorSource &source,
                                                       const loader::ModelDescription &description,
                                                       const LoadOptions &options) {
    std::unique_ptr<LoadedModel> model(new LoadedModel);
    model->description_ = description;
    FF_TRY_ASSIGN(model->architecture_, make_architecture(description));
    const Architecture &architecture = *model->architecture_;

    Scratch &scratch = model->scratch_;
    scratch.declare("x", description.width);
    scratch.declare("sample_work", description.vocabulary);
    architecture.declare_activations(scratch);

    const std::uint64_t matrix_bytes = weight_bytes(source, options.weights);
    const std::uint64_t parameter_bytes = description.layers * architecture.vector_bytes_per_layer() +
                                          4 * kernels::padded_bytes(description.width) +
                                          segment_bytes(architecture, description, matrix_bytes, device->traits());
    const std::uint64_t state_bytes = StateStore::bytes(description, options.slots);
    const std::uint64_t logits_bytes = std::uint64_t{4} * description.vocabulary * options.slots;
    const std::uint64_t control_bytes = sizeof(shader::ControlHeader) + sizeof(shader::ControlEntry) * options.entries;
    model->device_bytes_ =
        matrix_bytes + parameter_bytes + state_bytes + scratch.bytes() + 2 * logits_bytes + control_bytes;
    FF_TRY(device->check_memory(source.path(), model->device_bytes_));

    FF_TRY_ASSIGN(gpu::Uploader uploader, gpu::Uploader::create(device));
    FF_TRY_ASSIGN(kernels::Parameters parameters, kernels::Parameters::create(device, parameter_bytes));
    model->parameters_.push_back(std::move(parameters));
    const std::uint64_t chunk =
        std::min({kChunkBytes, device->traits().max_allocation_bytes, std::max<std::uint64_t>(matrix_bytes, 256)});
    model->weights_.emplace_back(device, gpu::MemoryKind::device, "weights", chunk);
    model->weights_.emplace_back(device, gpu::MemoryKind::upload, "tables", chunk);

    WeightLoader weights(device, source, model->weights_[0], model->weights_[1], model->parameters_.front(), uploader,
                         options.weights);
    FF_TRY_ASSIGN(model->ln0_, weights.norm("blocks.0.ln0"));
    FF_TRY_ASSIGN(model->embedding_, weights.matrix({"emb.weight"}));
    FF_TRY(model->architecture_->load_begin(weights));
    for (std::uint32_t layer = 0; layer < description.layers; ++layer)
        FF_TRY(model->architecture_->load_layer(weights, layer));
    FF_TRY_ASSIGN(model->ln_out_, weights.norm("ln_out"));
    FF_TRY_ASSIGN(model->head_, weights.matrix({"head.weight"}));

    FF_TRY(scratch.create(device, uploader));
    FF_TRY_ASSIGN(StateStore states, StateStore::create(device, description, options.slots));
    model->states_.push_back(std::move(states));
    FF_TRY_ASSIGN(model->logits_, gpu::Buffer::create(device, gpu::MemoryKind::device, logits_bytes, "logits"));
    FF_TRY_ASSIGN(model->history_, gpu::Buffer::create(device, gpu::MemoryKind::device, logits_bytes, "history"));
    FF_TRY_ASSIGN(model->control_, gpu::Buffer::create(device, gpu::MemoryKind::shared, control_bytes, "control"));
    std::memset(model->control_.view().mapped, 0, control_bytes);
    FF_TRY(uploader.zero(model->logits_.view()));
    FF_TRY(uploader.zero(model->history_.view()));

    FF_TRY(model->build_plan(device->traits()));
    FF_TRY(model->parameters_.front().upload(uploader));
    FF_TRY(uploader.finish());
    return model;
}

gpu::BufferView LoadedModel::logits(std::uint32_t slot) const {
    const std::uint64_t bytes = std::uint64_t{4} * description_.vocabulary;
    return logits_.view().slice(slot * bytes, bytes);
}

Result<void> LoadedModel::build_plan(const gpu::DeviceTraits &traits) {
    LayerContext context{{&traits, &parameters_.front(), scratch_.view()}, &scratch_, &states_.front()};
    const auto append = [&](std::vector<kernels::Launch> more) {
        std::move(more.begin(), more.end(), std::back_inserter(plan_.launches));
    };
    const kernels::Activation x = scratch_.get("x");
    append(kernels::embed(context.step, {.variant = &kernels::variant_for("embed", embedding_.type, traits),
                                         .table = &embedding_,
                                         .norm_at = ln0_,
                                         .x = x,
                                         .control = control_.view()}));
    FF_TRY_ASSIGN(std::vector<kernels::Launch> begin, architecture_->plan_begin(context));
    append(std::move(begin));
    for (std::uint32_t layer = 0; layer < description_.layers; ++layer) {
        FF_TRY_ASSIGN(std::vector<kernels::Launch> launches, architecture_->plan_layer(context, layer));
        append(std::move(launches));
    }
    append(kernels::head(context.step, {.variant = &kernels::variant_for("head", head_.type, traits),
                                        .head = &head_,
                                        .norm_at = ln_out_,
                                        .x = x,
                                        .logits = logits_.view()}));
    plan_.launches.push_back(kernels::sample(context.step, {.variant = &kernels::variant_for("sample", traits),
                                                            .vocabulary = description_.vocabulary,
                                                            .logits = logits_.view(),
                                                            .history = history_.view(),
                                                            .work = scratch_.get("sample_work"),
                                                            .control = control_.view()}));
    return {};
}

} // namespace ff::model
