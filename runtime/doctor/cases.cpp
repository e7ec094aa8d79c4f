#include "runtime/doctor/cases.h"

#include "loader/quant/formats.h"
#include "runtime/engine/control_block.h"
#include "runtime/model/plan.h"

#include <bit>
#include <fmt/format.h>

namespace ff::doctor {
namespace {

using engine::ControlBlock;
using loader::DType;
using loader::Version;
using Pipelines = std::vector<const gpu::Pipeline *>;

constexpr StepKind kKinds[] = {{1, 1}, {5, 2}, {40, 3}, {12, 3}};
constexpr std::uint32_t kSlots = 4;
constexpr int kDecodeSteps = 6, kWideSteps = 2;

// Every filter of the sampler, and a counter of its own for each session.
void set_sampling(volatile shader::ControlEntry &entry, std::uint32_t seed) {
    entry.generating = 1;
    entry.limit = 1000;
    entry.temperature = 0.8F;
    entry.top_k = 60;
    entry.top_p = 0.95F;
    entry.typical_p = 0.95F;
    entry.min_p = 0.01F;
    entry.presence = 0.3F;
    entry.frequency = 0.2F;
    entry.penalty_decay = 0.9F;
    entry.seed_low = seed;
    entry.bias_count = 1;
    entry.bias_tokens[0] = 7;
    entry.bias_values[0] = std::bit_cast<std::uint32_t>(1.5F);
}

void put_prompt(volatile shader::ControlEntry &entry, std::uint32_t tokens, std::uint32_t vocabulary) {
    for (std::uint32_t i = 0; i < tokens; ++i)
        entry.prompt[(entry.prompt_end + i) % shader::kPromptLength] = (entry.prompt_end * 31 + i * 17 + 5) % vocabulary;
    entry.prompt_end = entry.prompt_end + tokens;
}

// A pipeline for each launch; nullptr for one that the driver cannot make. One after the other, so that it is known which one takes
// the process down.
Result<Pipelines> compile(engine::Engine &engine, std::span<const kernels::Launch> launches, const Begin &begin) {
    const std::uint32_t before = engine.pipelines().statistics().compiled;
    Pipelines made;
    for (const kernels::Launch &launch : launches) {
        begin(*launch.variant);
        gpu::PipelineDescription description = kernels::pipeline_of(launch);
        FF_TRY_ASSIGN(description.spirv, engine.spirv_of(*launch.variant));
        const Result<Pipelines> one = engine.pipelines().compile(std::span(&description, 1), {});
        if (!one.ok() && one.error().status == Status::device_lost) return one.error();
        made.push_back(one.ok() ? one->front() : nullptr);
    }
    if (engine.pipelines().statistics().compiled != before) (void)engine.pipelines().save_cache(); // costs time only
    return made;
}

Result<void> zero_states(const model::LoadedModel &model, gpu::Uploader &uploader) {
    const std::vector<std::byte> zero = model.states().initial_layer();
    for (std::uint32_t layer = 0; layer < model.description().layers; ++layer)
        for (std::uint32_t slot = 0; slot < kSlots; ++slot) FF_TRY(uploader.write(model.states().slot(layer, slot), zero));
    return uploader.finish();
}

Result<void> walk_decode(Walk &walk, const model::LoadedModel &model, std::span<const kernels::Launch> launches,
                         const Pipelines &pipelines, const Walk::Seen &seen, const Walk::Begin &begin, const bool &goes_on) {
    ControlBlock control(model.control());
    for (std::uint64_t step = 0; step < shader::kQueueLength; ++step) control.enqueue(step, 1);
    volatile shader::ControlEntry &entry = control.entry(1);
    entry.slot = 2;
    set_sampling(entry, 11);
    put_prompt(entry, 3, model.description().vocabulary);
    for (int step = 0; step < kDecodeSteps && goes_on; ++step) {
        if (step + 1 == kDecodeSteps) entry.temperature = 0;
        FF_TRY(walk.run(launches, pipelines, seen, begin));
    }
    return {};
}

// A prompt, a session that generates, and of three runs the first part of a longer prompt.
Result<void> walk_wide(Walk &walk, const model::LoadedModel &model, const StepKind &kind,
                       std::span<const kernels::Launch> launches, const Pipelines &pipelines, const Walk::Seen &seen,
                       const Walk::Begin &begin, const bool &goes_on) {
    const std::uint32_t first = kind.runs > 2 ? kind.rows / 2 : kind.rows - 2, rest = kind.rows / 2 - 3,
                        vocabulary = model.description().vocabulary;
    ControlBlock control(model.control());
    for (std::uint32_t i = 0; i < 3; ++i) {
        volatile shader::ControlEntry &entry = control.entry(i);
        entry.slot = 3 - i;
        entry.parity = i % 2;
        set_sampling(entry, 20 + i);
    }
    control.entry(1).pending = 1;
    control.entry(1).next_token = 9;
    control.entry(1).produced = 1;
    std::vector<ControlBlock::Run> runs = {{0, first, false}, {1, 0, false}};
    if (kind.runs > 2) runs.push_back({2, rest, true});
    for (std::uint64_t step = 0; step < shader::kWideQueueLength; ++step) control.enqueue_wide(step, runs);
    for (int step = 0; step < kWideSteps && goes_on; ++step) {
        put_prompt(control.entry(0), first, vocabulary);
        if (kind.runs > 2) put_prompt(control.entry(2), rest, vocabulary);
        FF_TRY(walk.run(launches, pipelines, seen, begin));
    }
    return {};
}

} // namespace

std::string Case::name() const {
    return fmt::format("{} with {} weights", loader::label_of(version), loader::name_of(weights));
}

std::string StepKind::name() const {
    return rows == 1 ? "decode step" : fmt::format("wide step of {} rows", rows);
}

std::vector<Case> all_cases() {
    std::vector<Case> cases;
    const auto add = [&](Version version, std::initializer_list<DType> types) {
        for (const DType type : types) cases.push_back({version, type});
    };
    add(Version::v7_0, {DType::f16, DType::bf16, DType::q4_k, DType::q8_0, DType::f32});
    for (const Version version : {Version::v7_0, Version::v6_0, Version::v4_0}) {
        if (version != Version::v7_0) add(version, {DType::bf16, DType::f16, DType::f32, DType::q4_k, DType::q8_0});
        add(version, {DType::q4_0, DType::q4_1, DType::q5_0, DType::q5_1, DType::q5_k, DType::q6_k, DType::nf4});
    }
    add(Version::v5_2, {DType::bf16});
    add(Version::v7a, {DType::bf16, DType::f16, DType::f32});
    return cases;
}

std::span<const StepKind> step_kinds() {
    return kKinds;
}

Result<void> walk_case(engine::Engine &engine, const Case &which, const StepKind &kind, const Wanted &wanted,
                       const Begin &begin, const SeenLaunch &seen) {
    const bool blocks = loader::block_elements(which.weights) > 1;
    const loader::ModelDescription shape = blocks ? block_shape(which.version) : odd_shape(which.version);
    const std::vector<std::byte> file = random_model(shape, blocks ? DType::bf16 : which.weights, 5);
    FF_TRY_ASSIGN(std::unique_ptr<loader::TensorSource> source,
                  loader::open_tensor_source("[self-test]", std::span(file)));
    if (blocks) source = with_block_table(std::move(source), which.weights);
    FF_TRY_ASSIGN(const loader::ModelDescription description, loader::describe(*source));
    model::LoadOptions options;
    if (blocks) options.weights.type = which.weights;
    options.slots = options.entries = kSlots;
    const std::shared_ptr<gpu::Device> &device = engine.device();
    FF_TRY_ASSIGN(const std::unique_ptr<model::LoadedModel> model,
                  model::LoadedModel::load(device, *source, description, options));
    FF_TRY_ASSIGN(Walk walk, Walk::create(device));
    std::unique_ptr<model::WidePlan> wide;
    std::vector<kernels::Launch> launches = model->plan().launches;
    if (kind.rows > 1) {
        FF_TRY_ASSIGN(wide, model->make_wide_plan(device, walk.uploader(), kind.rows, kind.runs));
        launches = wide->body.launches;
        launches.insert(launches.end(), wide->end.launches.begin(), wide->end.launches.end());
    }
    FF_TRY(zero_states(*model, walk.uploader()));
    if (!wanted(launches)) return {};
    FF_TRY_ASSIGN(const Pipelines pipelines, compile(engine, launches, begin));
    bool goes_on = true;
    const Walk::Seen each = [&](std::size_t index, const std::optional<Finding> &finding) {
        return goes_on = seen(launches[index], finding);
    };
    const Walk::Begin before = [&](std::size_t index) { begin(*launches[index].variant); };
    return kind.rows == 1 ? walk_decode(walk, *model, launches, pipelines, each, before, goes_on)
                          : walk_wide(walk, *model, kind, launches, pipelines, each, before, goes_on);
}

} // namespace ff::doctor
