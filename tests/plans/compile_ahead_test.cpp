// A model's pipelines are made while its weights are on their way, and they are those that it then runs.
#include "runtime/doctor/random_model.h"
#include "runtime/engine/model_load.h"
#include "tests/support/gpu_fixture.h"

#include <doctest/doctest.h>

#include <chrono>
#include <cstdlib>
#include <fmt/format.h>
#include <set>

using namespace ff;
using test::must;

namespace {

std::shared_ptr<engine::Engine> new_engine() {
    engine::EngineOptions options;
    if (const char *device = std::getenv("FIREFINCH_TEST_DEVICE")) options.device = device;
    if (const char *profile = std::getenv("FIREFINCH_TEST_PROFILE")) options.profile = profile;
    return must(engine::Engine::create(options));
}

// Prompts and decode steps share some.
std::uint32_t pipelines_of(const model::FirstLaunches &launches) {
    std::set<std::string> different;
    for (const auto *part : {&launches.decode, &launches.prompt})
        for (const kernels::Launch &launch : *part) {
            const gpu::PipelineDescription pipeline = kernels::pipeline_of(launch);
            std::string key = fmt::format("{} {} {} {}", pipeline.name, pipeline.bindings, pipeline.push_constant_bytes,
                                          pipeline.required_subgroup_size);
            for (const gpu::SpecConstant &constant : pipeline.constants)
                key += fmt::format(" {}={}", constant.id, constant.value);
            different.insert(std::move(key));
        }
    return static_cast<std::uint32_t>(different.size());
}

std::uint32_t compiled(const engine::Engine &engine) {
    return engine.pipelines().statistics().compiled;
}

void wait_for(const engine::Engine &engine, std::uint32_t pipelines) {
    const auto late = std::chrono::steady_clock::now() + std::chrono::minutes(5);
    while (compiled(engine) < pipelines && std::chrono::steady_clock::now() < late)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
}

} // namespace

TEST_CASE("compile ahead: the pipelines of decode steps and of prompts, before the first weights are there") {
    const std::pair<loader::Version, std::optional<loader::DType>> models[] = {
        {loader::Version::v4_0, {}}, {loader::Version::v6_0, loader::DType::q4_k}, {loader::Version::v7_0, {}}};
    for (const auto &[version, type] : models) {
        CAPTURE(loader::label_of(version));
        const loader::ModelDescription shape = type ? doctor::block_shape(version) : doctor::odd_shape(version);
        const std::vector<std::byte> file = doctor::random_model(shape, loader::DType::f16, 3);
        const std::shared_ptr<const loader::TensorSource> source = must(loader::open_tensor_source("random", file));
        const loader::ModelDescription description = must(loader::describe(*source));

        const std::shared_ptr<engine::Engine> engine = new_engine();
        gpu::DeviceInfo device = engine->device()->info();
        device.traits = engine->device()->traits();
        const model::FirstLaunches first = must(model::first_launches(device, *source, description, {.type = type}));
        REQUIRE(!first.prompt.empty());
        const std::uint32_t all = pipelines_of(first);

        engine::ModelOptions options;
        options.weights.type = type;
        engine::ModelLoad load(engine, source, description, options);
        must(load.step(1)); // the first piece waits for more
        wait_for(*engine, all);
        CHECK(compiled(*engine) == all);
        CHECK_FALSE(must(load.step(0)).finished);

        const std::shared_ptr<engine::Model> model = must(load.finish());
        CHECK(model->statistics().pipelines == first.decode.size());
        must(model->prompt_step(3));
        CHECK(compiled(*engine) == all);
    }
}

TEST_CASE("compile ahead: nothing of prompts where they are read token by token") {
    const std::vector<std::byte> file =
        doctor::random_model(doctor::odd_shape(loader::Version::v7_0), loader::DType::f16, 3);
    const std::unique_ptr<loader::TensorSource> source = must(loader::open_tensor_source("random", file));
    gpu::DeviceInfo device = test::device()->info();
    device.traits = test::device()->traits();
    for (const kernels::Variant &variant : kernels::all_variants())
        if (variant.kernel == "wide_wkv7") device.traits.denied.push_back(kernels::full_name(variant));
    const loader::ModelDescription description = must(loader::describe(*source));
    const model::FirstLaunches first = must(model::first_launches(device, *source, description, {}));
    CHECK(!first.decode.empty());
    CHECK(first.prompt.empty()); // its compiler may not come back
}

TEST_CASE("compile ahead: a load that is given up ends it") {
    const std::vector<std::byte> file =
        doctor::random_model(doctor::odd_shape(loader::Version::v7_0), loader::DType::f16, 3);
    const std::shared_ptr<const loader::TensorSource> source = must(loader::open_tensor_source("random", file));
    const std::shared_ptr<engine::Engine> engine = new_engine();
    {
        engine::ModelLoad load(engine, source, must(loader::describe(*source)), {});
        must(load.step(1));
        wait_for(*engine, 1);
    }
    const std::uint32_t made = compiled(*engine);
    CHECK(made > 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    CHECK(compiled(*engine) == made);
}
