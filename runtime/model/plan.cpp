#include "runtime/model/plan.h"

#include "runtime/kernels/places.h"
#include "runtime/kernels/tuning.h"
#include "runtime/kernels/wide.h"
#include "runtime/model/layer_plan.h"

#include <algorithm>
#include <fmt/format.h>
#include <numeric>

namespace ff::model {
namespace {

constexpr std::uint64_t kChunkBytes = 256ULL << 20;
// A millisecond of a weak GPU. In smaller pieces the time between launches would begin to show on a fast one.
constexpr std::uint64_t kHeadPieceBytes = 32ULL << 20;

// A step of one row is a decode step.
Scratch declare_scratch(const Architecture &architecture, const loader::ModelDescription &description,
                        std::uint32_t rows, std::uint32_t runs) {
    Scratch scratch = rows == 1 ? Scratch() : Scratch(rows, kernels::wide_header_bytes());
    scratch.declare("x", description.width);
    architecture.declare_activations(scratch);
    if (rows > 1) declare_wide(scratch, description);
    scratch.declare("sample_work", description.vocabulary, runs);
    return scratch;
}

// The most rows whose scratch one binding covers; a token takes a small part of what the weights do.
std::uint32_t prompt_rows(const Architecture &architecture, const loader::ModelDescription &description,
                          const gpu::DeviceTraits &traits, std::uint32_t most) {
    std::uint32_t rows = most;
    while (rows > 2 && declare_scratch(architecture, description, rows, 1).bytes() > traits.max_storage_buffer_range)
        rows /= 2;
    return rows;
}

// Segment tables of a step: each matrix of a launch is one segment of `words`, and one more for every binding range it is
// cut at.
std::uint64_t segment_bytes(std::uint64_t segments, std::uint64_t words, std::uint64_t matrix_bytes,
                            const gpu::DeviceTraits &traits) {
    const std::uint64_t cuts =
        2 * segments + 2 * matrix_bytes / std::max<std::uint64_t>(traits.max_storage_buffer_range, 1);
    constexpr std::uint64_t kRounding = 32; // of each table
    return (4 * words + kRounding) * (segments + cuts);
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

Result<void> WidePlan::check_not_denied(const gpu::DeviceTraits &traits) const {
    for (const Plan *part : {&body, &all_logits, &end}) FF_TRY(kernels::check_not_denied(part->launches, traits));
    return {};
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
    scratch = declare_scratch(architecture, description, 1, 1);
    const std::uint32_t wide_rows = prompt_rows(architecture, description, device->traits(), kPromptRows);
    model->long_prompt_rows_ =
        prompt_rows(architecture, description, device->traits(), kernels::most_prompt_rows(device->traits()));

    const std::uint64_t matrix_bytes = model->matrix_bytes_ = weight_bytes(source, options.weights);
    const std::uint64_t parameter_bytes =
        description.layers * architecture.vector_bytes_per_layer() + 4 * kernels::padded_bytes(description.width) +
        segment_bytes(std::uint64_t{description.layers} * architecture.segments_per_layer(), shader::kSegmentWords,
                      matrix_bytes, device->traits());
    const std::uint64_t state_bytes = StateStore::bytes(description, options.slots);
    const std::uint64_t logits_bytes = std::uint64_t{4} * description.vocabulary * options.slots;
    const std::uint64_t control_bytes = sizeof(shader::ControlHeader) + sizeof(shader::ControlEntry) * options.entries;
    model->device_bytes_ = matrix_bytes + parameter_bytes + state_bytes + scratch.bytes() +
                           model->wide_plan_bytes(wide_rows, 1, device->traits()) + 2 * logits_bytes +
                           control_bytes;
    FF_TRY(device->check_memory(source.path(), model->device_bytes_));

    FF_TRY_ASSIGN(gpu::Uploader uploader, gpu::Uploader::create(device, std::min(options.upload_ring_bytes, matrix_bytes)));
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
    FF_TRY(uploader.zero(model->control_.view()));
    FF_TRY(uploader.zero(model->logits_.view()));
    FF_TRY(uploader.zero(model->history_.view()));

    FF_TRY(model->build_plan(device->traits()));
    FF_TRY(kernels::check_not_denied(model->plan_.launches, device->traits()));
    FF_TRY_ASSIGN(model->prompt_plan_, model->make_wide_plan(device, uploader, wide_rows, 1));
    model->reads_wide_ = model->prompt_plan_->check_not_denied(device->traits()).ok();
    FF_TRY(model->parameters_.front().upload(uploader));
    FF_TRY(uploader.finish());
    return model;
}

gpu::BufferView LoadedModel::logits(std::uint32_t slot) const {
    const std::uint64_t bytes = std::uint64_t{4} * description_.vocabulary;
    return logits_.view().slice(slot * bytes, bytes);
}

gpu::BufferView LoadedModel::history(std::uint32_t slot) const {
    const std::uint64_t bytes = std::uint64_t{4} * description_.vocabulary;
    return history_.view().slice(slot * bytes, bytes);
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

Result<void> LoadedModel::build_plan(const gpu::DeviceTraits &traits) {
    const LayerContext context{
        {&traits, &parameters_.front(), scratch_.view()}, &scratch_, &states_.front(), description_.width};
    append(plan_, kernels::embed(context.step, {.variant = &kernels::variant_for("embed", embedding_.type, traits),
                                                .table = &embedding_,
                                                .norm_at = ln0_,
                                                .x = scratch_.get("x"),
                                                .control = control_.view()}));
    FF_TRY(append_layers(plan_, *architecture_, context, description_.layers));
    sliced_plan_.launches = plan_.launches;
    kernels::HeadArguments head{.variant = &kernels::variant_for("head", head_.type, traits),
                                .head = &head_,
                                .norm_at = ln_out_,
                                .x = scratch_.get("x"),
                                .logits = logits_.view()};
    append(plan_, kernels::head(context.step, head));
    head.most_bytes = kHeadPieceBytes;
    append(sliced_plan_, kernels::head(context.step, head));
    for (Plan *plan : {&plan_, &sliced_plan_})
        plan->launches.push_back(kernels::sample(context.step, {.variant = &kernels::variant_for("sample", traits),
                                                                .vocabulary = description_.vocabulary,
                                                                .logits = logits_.view(),
                                                                .history = history_.view(),
                                                                .work = scratch_.get("sample_work"),
                                                                .control = control_.view()}));
    return {};
}

std::uint64_t LoadedModel::table_bytes(const gpu::DeviceTraits &traits) const {
    constexpr std::uint32_t kWideMore = 7;                            // output, value, and up to five ups
    constexpr std::uint32_t kOutside = 2;                             // the head, for all rows and for the answers
    const std::uint64_t begin = description_.layers;                  // 7a: s_emb_x of every layer
    return segment_bytes(description_.layers * (architecture_->segments_per_layer() + kWideMore) + begin + kOutside,
                         shader::kWideSegmentWords, matrix_bytes_, traits);
}

std::uint64_t LoadedModel::wide_plan_bytes(std::uint32_t rows, std::uint32_t runs,
                                           const gpu::DeviceTraits &traits) const {
    return declare_scratch(*architecture_, description_, rows, runs).bytes() + table_bytes(traits);
}

Result<std::unique_ptr<WidePlan>> LoadedModel::make_wide_plan(const std::shared_ptr<gpu::Device> &device,
                                                              gpu::Uploader &uploader, std::uint32_t rows,
                                                              std::uint32_t runs) {
    auto plan = std::make_unique<WidePlan>();
    plan->rows = rows;
    plan->runs = runs;
    plan->scratch = declare_scratch(*architecture_, description_, rows, runs);
    FF_TRY(plan->scratch.create(device, uploader));
    FF_TRY_ASSIGN(kernels::Parameters tables, kernels::Parameters::create(device, table_bytes(device->traits())));
    plan->tables.push_back(std::move(tables));
    FF_TRY(build_wide_plan(*plan, device->traits()));
    FF_TRY(plan->tables.front().upload(uploader));
    return plan;
}

Result<void> LoadedModel::build_wide_plan(WidePlan &plan, const gpu::DeviceTraits &traits) {
    const kernels::StepBuffers step{.traits = &traits,
                                    .parameters = &parameters_.front(),
                                    .scratch = plan.scratch.view(),
                                    .rows = plan.rows,
                                    .runs = plan.runs,
                                    .header_bytes = kernels::wide_header_bytes(),
                                    .tables = &plan.tables.front()};
    const LayerContext context{step, &plan.scratch, &states_.front(), description_.width};
    const kernels::Activation x = plan.scratch.get("x"), mixed = plan.scratch.get("mixed.0");
    plan.body.launches.push_back(kernels::wide_begin(step, control_.view()));
    append(plan.body, kernels::embed(step, {.variant = &kernels::variant_for("wide_embed", embedding_.type, traits),
                                            .table = &embedding_,
                                            .norm_at = ln0_,
                                            .x = x,
                                            .control = control_.view()}));
    FF_TRY(append_layers(plan.body, *architecture_, context, description_.layers));

    kernels::WideMixArguments norm{};
    norm.layer = -1;
    norm.width = description_.width;
    norm.x = x;
    norm.norm_at = ln_out_;
    norm.norm_name = "ln_out";
    norm.mixes = {0};
    norm.mixed = {mixed};
    const auto products = [&](const char *name, const gpu::BufferView &out, bool answers) {
        return kernels::matmul(step, {.layer = -1,
                                      .segments = {{.matrix = &head_,
                                                    .input = mixed,
                                                    .activation = kernels::ActivationKind::none,
                                                    .result = {name, out},
                                                    .result_stride = description_.vocabulary}},
                                      .out = out,
                                      .answers = answers});
    };
    plan.all_logits.launches.push_back(kernels::wide_mix(step, norm));
    gpu::BufferView all;
    all.bytes = std::uint64_t{4} * plan.rows * description_.vocabulary;
    FF_TRY_ASSIGN(std::vector<kernels::Launch> of_all, products("all logits", all, false));
    append(plan.all_logits, std::move(of_all));

    norm.answers = true;
    plan.end.launches.push_back(kernels::wide_mix(step, norm));
    FF_TRY_ASSIGN(std::vector<kernels::Launch> of_answers, products("logits", logits_.view(), true));
    append(plan.end, std::move(of_answers));
    plan.end.launches.push_back(kernels::sample(step, {.variant = &kernels::variant_for("wide_sample", traits),
                                                       .vocabulary = description_.vocabulary,
                                                       .logits = logits_.view(),
                                                       .history = history_.view(),
                                                       .work = plan.scratch.get("sample_work"),
                                                       .control = control_.view()}));
    return {};
}

} // namespace ff::model
