#include "runtime/model/plan.h"

#include "runtime/kernels/places.h"
#include "runtime/kernels/wide.h"
#include "runtime/model/layer_plan.h"
#include "shaders/lib/interface.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace ff::model {
namespace {

constexpr std::uint64_t kChunkBytes = 256ULL << 20;

// Tokens that a wide step reads at most: enough that a weight is seldom read twice, few enough that its scratch stays a
// small part of the model's memory.
constexpr std::uint32_t kWideRows = 128;

Scratch declare_scratch(const Architecture &architecture, const loader::ModelDescription &description,
                        std::uint32_t rows) {
    Scratch scratch = rows == 1 ? Scratch() : Scratch(rows, kernels::wide_header_bytes(rows));
    scratch.declare("x", description.width);
    architecture.declare_activations(scratch);
    if (rows == 1)
        scratch.declare("sample_work", description.vocabulary);
    else
        declare_wide(scratch, description);
    return scratch;
}

// The most rows, up to kWideRows, whose scratch one binding covers.
std::uint32_t wide_rows(const Architecture &architecture, const loader::ModelDescription &description,
                        const gpu::DeviceTraits &traits) {
    std::uint32_t rows = kWideRows;
    while (rows > 2 && declare_scratch(architecture, description, rows).bytes() > traits.max_storage_buffer_range)
        rows /= 2;
    return rows;
}

// Segment tables: each matrix of a launch is one segment, and one more for every binding range it is cut at; a wide
// step has tables of its own, and the head and the low-rank ups in them.
std::uint64_t segment_bytes(const Architecture &architecture, const loader::ModelDescription &description,
                            std::uint64_t matrix_bytes, const gpu::DeviceTraits &traits) {
    constexpr std::uint32_t kWideMore = 7; // output, value, and up to five ups
    const std::uint64_t segments = std::uint64_t{description.layers} * architecture.segments_per_layer();
    const std::uint64_t cuts =
        2 * segments + 2 * matrix_bytes / std::max<std::uint64_t>(traits.max_storage_buffer_range, 1);
    const std::uint64_t wide = segments + description.layers * kWideMore + 1;
    constexpr std::uint64_t kRounding = 32; // of each table
    return 4ULL * shader::kSegmentWords * (segments + cuts) + 4ULL * shader::kWideSegmentWords * (wide + cuts) +
           kRounding * (segments + wide + 2 * cuts);
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
    scratch = declare_scratch(architecture, description, 1);
    model->wide_plan_.rows = wide_rows(architecture, description, device->traits());
    model->wide_scratch_ = declare_scratch(architecture, description, model->wide_plan_.rows);

    const std::uint64_t matrix_bytes = weight_bytes(source, options.weights);
    const std::uint64_t parameter_bytes = description.layers * architecture.vector_bytes_per_layer() +
                                          4 * kernels::padded_bytes(description.width) +
                                          segment_bytes(architecture, description, matrix_bytes, device->traits());
    const std::uint64_t state_bytes = StateStore::bytes(description, options.slots);
    const std::uint64_t logits_bytes = std::uint64_t{4} * description.vocabulary * options.slots;
    const std::uint64_t control_bytes = sizeof(shader::ControlHeader) + sizeof(shader::ControlEntry) * options.entries;
    model->device_bytes_ = matrix_bytes + parameter_bytes + state_bytes + scratch.bytes() +
                           model->wide_scratch_.bytes() + 2 * logits_bytes + control_bytes;
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
    FF_TRY(model->wide_scratch_.create(device, uploader));
    FF_TRY_ASSIGN(StateStore states, StateStore::create(device, description, options.slots));
    model->states_.push_back(std::move(states));
    FF_TRY_ASSIGN(model->logits_, gpu::Buffer::create(device, gpu::MemoryKind::device, logits_bytes, "logits"));
    FF_TRY_ASSIGN(model->history_, gpu::Buffer::create(device, gpu::MemoryKind::device, logits_bytes, "history"));
    FF_TRY_ASSIGN(model->control_, gpu::Buffer::create(device, gpu::MemoryKind::shared, control_bytes, "control"));
    std::memset(model->control_.view().mapped, 0, control_bytes);
    FF_TRY(uploader.zero(model->logits_.view()));
    FF_TRY(uploader.zero(model->history_.view()));

    FF_TRY(model->build_plan(device->traits()));
    FF_TRY(model->build_wide_plan(device->traits()));
    FF_TRY(model->parameters_.front().upload(uploader));
    FF_TRY(uploader.finish());
    return model;
}

gpu::BufferView LoadedModel::logits(std::uint32_t slot) const {
    const std::uint64_t bytes = std::uint64_t{4} * description_.vocabulary;
    return logits_.view().slice(slot * bytes, bytes);
}

namespace {

void append(Plan &plan, std::vector<kernels::Launch> more) {
    std::move(more.begin(), more.end(), std::back_inserter(plan.launches));
}

// What comes before the layers, and the layers.
Result<void> append_layers(Plan &plan, const Architecture &architecture, const LayerContext &context,
                           std::uint32_t layers) {
    const std::unique_ptr<LayerPlan> begin = LayerPlan::create(context, -1);
    FF_TRY(architecture.plan_begin(*begin));
    std::vector<kernels::Launch> launches = begin->take();
    // The first layer could run beside these, but synchronization validation sees bindings, not the bytes used: claim
    // x.
    const kernels::Activation x = context.scratch->get("x");
    for (kernels::Launch &launch : launches) launch.uses.push_back({x.name, x.view, gpu::Access::write});
    append(plan, std::move(launches));
    for (std::uint32_t index = 0; index < layers; ++index) {
        const std::unique_ptr<LayerPlan> layer = LayerPlan::create(context, static_cast<std::int32_t>(index));
        FF_TRY(architecture.plan_layer(*layer, index));
        append(plan, layer->take());
    }
    return {};
}

} // namespace

std::vector<kernels::Launch> LoadedModel::head_launches(const kernels::StepBuffers &step) const {
    return kernels::head(step, {.variant = &kernels::variant_for("head", head_.type, *step.traits),
                                .head = &head_,
                                .norm_at = ln_out_,
                                .x = scratch_.get("x"),
                                .logits = logits_.view()});
}

Result<void> LoadedModel::build_plan(const gpu::DeviceTraits &traits) {
    const LayerContext context{
        {&traits, &parameters_.front(), scratch_.view()}, &scratch_, &states_.front(), description_.width};
    append(plan_, kernels::embed(context.step, {.variant = &kernels::variant_for("embed", embedding_.type, traits),
                                                .table = &embedding_,
                                                .norm_at = ln0_,
                                                .x = scratch_.get("x"),
                                                .control = control_.view()}));
    FF_TRY(append_layers(plan_, *architecture_, context, description_.layers));
    append(plan_, head_launches(context.step));
    plan_.launches.push_back(kernels::sample(context.step, {.variant = &kernels::variant_for("sample", traits),
                                                            .vocabulary = description_.vocabulary,
                                                            .logits = logits_.view(),
                                                            .history = history_.view(),
                                                            .work = scratch_.get("sample_work"),
                                                            .control = control_.view()}));
    return {};
}

Result<void> LoadedModel::build_wide_plan(const gpu::DeviceTraits &traits) {
    const std::uint32_t rows = wide_plan_.rows;
    const kernels::StepBuffers step{&traits, &parameters_.front(), wide_scratch_.view(), rows,
                                    kernels::wide_header_bytes(rows)};
    const LayerContext context{step, &wide_scratch_, &states_.front(), description_.width};
    const kernels::Activation x = wide_scratch_.get("x"), mixed = wide_scratch_.get("mixed.0");
    wide_plan_.body.launches.push_back(kernels::wide_begin(step, control_.view()));
    append(wide_plan_.body,
           kernels::embed(step, {.variant = &kernels::variant_for("wide_embed", embedding_.type, traits),
                                 .table = &embedding_,
                                 .norm_at = ln0_,
                                 .x = x,
                                 .control = control_.view()}));
    FF_TRY(append_layers(wide_plan_.body, *architecture_, context, description_.layers));

    kernels::WideMixArguments norm{};
    norm.layer = -1;
    norm.width = description_.width;
    norm.x = x;
    norm.norm_at = ln_out_;
    norm.norm_name = "ln_out";
    norm.mixes = {0};
    norm.mixed = {mixed};
    wide_plan_.all_logits.launches.push_back(kernels::wide_mix(step, norm));
    gpu::BufferView out;
    out.bytes = std::uint64_t{4} * rows * description_.vocabulary;
    FF_TRY_ASSIGN(
        std::vector<kernels::Launch> products,
        kernels::matmul(step, {-1, {{&head_, mixed, kernels::ActivationKind::none, {"all logits", out}}}, out}));
    append(wide_plan_.all_logits, std::move(products));

    wide_plan_.last.launches.push_back(
        kernels::wide_last(step, x, description_.width, scratch_.view(), scratch_.get("x"), control_.view()));
    append(wide_plan_.last, head_launches({&traits, &parameters_.front(), scratch_.view()}));
    return {};
}

} // namespace ff::model
