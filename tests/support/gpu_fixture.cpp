#include "tests/support/gpu_fixture.h"

#include "tests/support/finish.h"

#include <doctest/doctest.h>

#include <cstdio>
#include <cstdlib>
#include <fmt/format.h>
#include <stdexcept>

namespace ff::test {
namespace {

struct Fixture {
    std::shared_ptr<gpu::Instance> instance;
    std::shared_ptr<gpu::Device> device;
    std::unique_ptr<gpu::PipelineSet> pipelines;
    std::unique_ptr<gpu::Timeline> timeline;
    std::optional<gpu::Uploader> uploader;
};

std::string environment(const char *name, const char *otherwise) {
    const char *value = std::getenv(name);
    return value ? value : otherwise;
}

Result<std::unique_ptr<Fixture>> create() {
    auto made = std::make_unique<Fixture>();
    gpu::InstanceOptions instance_options;
    instance_options.validate = environment("FIREFINCH_TEST_VALIDATE", "1") != "0";
    FF_TRY_ASSIGN(made->instance, gpu::Instance::create(std::move(instance_options)));
    FF_TRY_ASSIGN(const std::size_t index, made->instance->choose(environment("FIREFINCH_TEST_DEVICE", "")));
    gpu::DeviceOptions options;
    options.profile = environment("FIREFINCH_TEST_PROFILE", "native");
    FF_TRY_ASSIGN(made->device, gpu::Device::create(made->instance, index, options));
    FF_TRY_ASSIGN(made->pipelines, gpu::PipelineSet::create(made->device, {}));
    FF_TRY_ASSIGN(made->timeline, gpu::Timeline::create(made->device));
    FF_TRY_ASSIGN(made->uploader, gpu::Uploader::create(made->device, std::uint64_t{4} << 20));
    return made;
}

// Everything of the device goes, then whatever was left alive or said by the layers is a failure.
std::string destroy(std::unique_ptr<Fixture> &fixture) {
    const std::shared_ptr<gpu::Instance> instance = fixture->instance;
    fixture->uploader.reset();
    fixture->timeline.reset();
    fixture->pipelines.reset();
    const std::uint64_t bytes = fixture->device->allocated_bytes();
    fixture.reset();
    if (bytes != 0) return fmt::format("{} bytes of device memory were never freed", bytes);
    if (const std::uint64_t messages = instance->validation_messages(); messages != 0)
        return fmt::format("{} validation messages, the first: {}", messages, instance->first_validation_message());
    return "";
}

Fixture &fixture() {
    static std::unique_ptr<Fixture> made;
    if (!made) {
        auto created = create();
        if (!created.ok()) {
            std::fprintf(stderr,
                         "no device to test on: %s (FIREFINCH_TEST_DEVICE, FIREFINCH_TEST_PROFILE and "
                         "FIREFINCH_TEST_VALIDATE=0 change the choice)\n",
                         created.error().message.c_str());
            std::exit(2);
        }
        made = std::move(created).value();
        std::printf("device: %s, profile %s: %s\n", made->device->info().name.c_str(),
                    environment("FIREFINCH_TEST_PROFILE", "native").c_str(),
                    gpu::summary(made->device->traits()).c_str());
        at_finish([] { return destroy(made); });
    }
    return *made;
}

} // namespace

const std::shared_ptr<gpu::Device> &device() {
    return fixture().device;
}
gpu::PipelineSet &pipelines() {
    return *fixture().pipelines;
}
gpu::Timeline &timeline() {
    return *fixture().timeline;
}
gpu::Uploader &uploader() {
    return *fixture().uploader;
}

void fail(const Error &error) {
    throw std::runtime_error(error.message);
}

} // namespace ff::test
