// A plan, launch by launch: each runs on the device and in float64 from the same inputs, and the first whose output
// differs is named. A wrong binding, place or order shows here, where a kernel by itself is right.
#include "runtime/doctor/random_model.h"
#include "runtime/doctor/walk.h"
#include "runtime/model/plan.h"
#include "shaders/lib/interface.h"
#include "tests/support/gpu_fixture.h"
#include "tests/support/shared_files.h"

#include <doctest/doctest.h>

#include <fmt/format.h>

using namespace ff;
using namespace ff::test;

namespace {

constexpr loader::Version kVersions[] = {loader::Version::v4_0, loader::Version::v5_0, loader::Version::v5_1,
                                         loader::Version::v5_2, loader::Version::v6_0, loader::Version::v7_0,
                                         loader::Version::v7a};

// Reads `tokens` in slot 1 and says which launch differed, or nothing.
void walk(const loader::TensorSource &source, std::span<const std::uint32_t> tokens,
          std::optional<loader::DType> type = {}) {
    const loader::ModelDescription description = must(loader::describe(source));
    const auto model = must(
        model::LoadedModel::load(device(), source, description,
                                 {.weights = {.type = type, .progress = {}, .log = {}}, .slots = 2, .entries = 1}));
    const std::span<const kernels::Launch> launches(model->plan().launches);
    std::vector<gpu::PipelineDescription> descriptions;
    for (const kernels::Launch &launch : launches) descriptions.push_back(kernels::pipeline_of(launch));
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

    std::size_t seen = 0;
    doctor::Walk walk = must(doctor::Walk::create(device()));
    for (std::size_t t = 0; t < tokens.size(); ++t)
        must(walk.run(launches, made, [&](std::size_t i, const std::optional<doctor::Finding> &finding) {
            ++seen;
            CHECK_MESSAGE(!finding, fmt::format("token {}, launch {} ({}, layer {}): {}", t, i,
                                                kernels::full_name(*launches[i].variant), launches[i].layer,
                                                finding ? finding->text() : ""));
            return !finding;
        }));
    CHECK(seen == tokens.size() * launches.size());
    CHECK(entry->prompt_read == tokens.size());
}

} // namespace

TEST_CASE("plan walk: random models of odd shape") {
    const std::uint32_t tokens[] = {0, 82, 17};
    for (const loader::Version version : kVersions)
        for (const loader::DType dtype : {loader::DType::f32, loader::DType::f16, loader::DType::bf16}) {
            CAPTURE(loader::label_of(version));
            CAPTURE(loader::name_of(dtype));
            const std::vector<std::byte> file = doctor::random_model(doctor::odd_shape(version), dtype, 5);
            walk(*must(loader::open_tensor_source("[synthetic]", std::span(file))), tokens);
        }
}

TEST_CASE("plan walk: every block format") {
    const std::uint32_t tokens[] = {3, 17};
    for (const loader::Version version : {loader::Version::v4_0, loader::Version::v6_0, loader::Version::v7_0}) {
        const std::vector<std::byte> file = doctor::random_model(doctor::block_shape(version), loader::DType::bf16, 6);
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
