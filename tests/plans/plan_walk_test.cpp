// A plan, launch by launch: each runs on the device and in float64 from the same inputs, and the first whose output
// differs is named. A wrong binding, place or order shows here, where a kernel by itself is right.
#include "runtime/gpu/recorder.h"
#include "runtime/model/plan.h"
#include "shaders/lib/interface.h"
#include "tests/plans/launch_reference.h"
#include "tests/plans/synthetic_model.h"
#include "tests/support/gpu_fixture.h"
#include "tests/support/numbers.h"
#include "tests/support/shared_files.h"

#include <doctest/doctest.h>

#include <cstring>
#include <fmt/format.h>

using namespace ff;
using namespace ff::test;

namespace {

constexpr loader::Version kVersions[] = {loader::Version::v4_0, loader::Version::v5_0, loader::Version::v5_1,
                                         loader::Version::v5_2, loader::Version::v6_0, loader::Version::v7_0,
                                         loader::Version::v7a};
constexpr double kTolerance = 2e-5; // float32 sums of a few hundred terms of order one

void run(const kernels::Launch &launch, const gpu::Pipeline &pipeline) {
    gpu::Recorder recorder = must(gpu::Recorder::create(device(), "plan walk", false));
    std::vector<gpu::Use> uses;
    for (const kernels::NamedUse &use : launch.uses) uses.push_back({use.view, use.access});
    must(recorder.launch({.pipeline = &pipeline,
                          .buffers = launch.buffers,
                          .push_constants = launch.push_constants,
                          .groups = launch.groups,
                          .uses = uses,
                          .label = "plan walk"}));
    const gpu::CommandBuffer commands = must(recorder.finish());
    const VkCommandBuffer handle = commands.handle();
    must(timeline().wait(must(timeline().submit(std::span(&handle, 1)))));
}

std::vector<float> device_floats(const gpu::BufferView &view) {
    const std::vector<std::byte> bytes = must(gpu::download(device(), view));
    std::vector<float> floats(bytes.size() / 4);
    std::memcpy(floats.data(), bytes.data(), bytes.size());
    return floats;
}

// Reads `tokens` in slot 1 and says which launch differed, or nothing.
void walk(const loader::TensorSource &source, std::span<const std::uint32_t> tokens,
          std::optional<loader::DType> type = {}) {
    const loader::ModelDescription description = must(loader::describe(source));
    const auto model = must(
        model::LoadedModel::load(device(), source, description,
                                 {.weights = {.type = type, .progress = {}, .log = {}}, .slots = 2, .entries = 1}));
    std::vector<gpu::PipelineDescription> descriptions;
    for (const kernels::Launch &launch : model->plan().launches) descriptions.push_back(kernels::pipeline_of(launch));
    const std::vector<const gpu::Pipeline *> made = must(pipelines().compile(descriptions, {}));
    const std::vector<std::byte> zero = model->states().initial_layer();
    for (std::uint32_t layer = 0; layer < description.layers; ++layer)
        must(uploader().write(model->states().slot(layer, 1), zero));
    must(uploader().finish());

    auto *entry = reinterpret_cast<shader::ControlEntry *>(model->control().mapped + sizeof(shader::ControlHeader));
    entry->slot = 1;
    for (std::size_t i = 0; i < tokens.size(); ++i) entry->prompt[i] = tokens[i];
    entry->prompt_end = static_cast<shader::uint>(tokens.size());
    entry->logits_every = 1;

    int compared = 0;
    for (std::size_t t = 0; t < tokens.size(); ++t)
        for (std::size_t i = 0; i < made.size(); ++i) {
            const kernels::Launch &launch = model->plan().launches[i];
            const std::vector<Expectation> expected = expectations(launch);
            run(launch, *made[i]);
            for (const Expectation &expectation : expected) {
                const Difference found = difference(device_floats(expectation.view), expectation.values);
                ++compared;
                REQUIRE_MESSAGE(found.error <= kTolerance,
                                fmt::format("token {}, launch {} ({}, layer {}): {}: {}", t, i,
                                            kernels::full_name(*launch.variant), launch.layer, expectation.name,
                                            describe(found)));
            }
        }
    CHECK(compared > 0);
    CHECK(entry->prompt_read == tokens.size());
}

} // namespace

TEST_CASE("plan walk: random models of odd shape") {
    const std::uint32_t tokens[] = {0, 82, 17};
    for (const loader::Version version : kVersions)
        for (const loader::DType dtype : {loader::DType::f32, loader::DType::f16, loader::DType::bf16}) {
            CAPTURE(loader::label_of(version));
            CAPTURE(loader::name_of(dtype));
            const std::vector<std::byte> file = synthetic_model(odd_shape(version), dtype, 5);
            walk(*must(loader::open_tensor_source("[synthetic]", std::span(file))), tokens);
        }
}

TEST_CASE("plan walk: every block format") {
    const std::uint32_t tokens[] = {3, 17};
    for (const loader::Version version : {loader::Version::v4_0, loader::Version::v6_0, loader::Version::v7_0}) {
        loader::ModelDescription shape = odd_shape(version);
        shape.width = shape.attention_width = 256; // whole blocks of every format
        shape.ffn_width = 512;
        if (shape.heads != 0) {
            shape.heads = 8;
            shape.head_size = 32;
        }
        const std::vector<std::byte> file = synthetic_model(shape, loader::DType::bf16, 6);
        const auto source = must(loader::open_tensor_source("[synthetic]", std::span(file)));
        for (int i = static_cast<int>(kernels::WeightType::q8_0); i <= static_cast<int>(kernels::WeightType::nf4);
             ++i) {
            const auto type = static_cast<kernels::WeightType>(i);
            CAPTURE(loader::label_of(version));
            CAPTURE(kernels::name_of(type));
            walk(*source, tokens, static_cast<loader::DType>(i));
        }
    }
}

TEST_CASE("plan walk: the demo model") {
    const std::uint32_t tokens[] = {0, 'R', 'O'};
    walk(*must(loader::open_tensor_source(source_file("apps/firefinch/demo-model/demo-rwkv7.safetensors").string())),
         tokens);
}
