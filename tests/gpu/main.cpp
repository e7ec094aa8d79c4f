#define DOCTEST_CONFIG_IMPLEMENT
#include "tests/gpu/fixture.h"

#include <cstdio>
#include <cstdlib>

namespace ff::gpu::testing {
namespace {

std::shared_ptr<Instance> &holder() {
    static std::shared_ptr<Instance> held;
    return held;
}

const char *selector() {
    const char *chosen = std::getenv("FIREFINCH_TEST_DEVICE");
    return chosen != nullptr ? chosen : "";
}

// Some drivers cannot run under a validation layer: FIREFINCH_TEST_VALIDATE=0.
bool validate() {
    const char *wanted = std::getenv("FIREFINCH_TEST_VALIDATE");
    return wanted == nullptr || std::strcmp(wanted, "0") != 0;
}

} // namespace

const std::shared_ptr<Instance> &instance() {
    std::shared_ptr<Instance> &held = holder();
    if (held == nullptr)
        held = must(Instance::create({.validate = validate(), .log = [](LogLevel level, std::string_view message) {
                                          if (level >= LogLevel::warning)
                                              std::fprintf(stderr, "%.*s\n", static_cast<int>(message.size()),
                                                           message.data());
                                      }}));
    return held;
}

bool computes() {
    return std::getenv("FIREFINCH_TEST_NO_RESULTS") == nullptr;
}

Scope::Scope() : messages_before_(instance()->validation_messages()) {}

Scope::~Scope() {
    for (std::shared_ptr<Device> &device : devices_) {
        CHECK(device->allocation_count() == 0);
        CHECK(device->allocated_bytes() == 0);
        device.reset();
    }
    INFO("first validation message: " << instance()->first_validation_message());
    CHECK(instance()->validation_messages() == messages_before_);
}

std::shared_ptr<Device> Scope::device(const DeviceOptions &options) {
    devices_.push_back(must(Device::create(instance(), must(instance()->choose(selector())), options)));
    return devices_.back();
}

PipelineDescription add_description(std::uint32_t local_size, std::uint32_t factor) {
    PipelineDescription out;
    out.name = "add";
    out.spirv = add_shader();
    out.bindings = 3;
    out.push_constant_bytes = sizeof(AddParams);
    out.constants = {{0, local_size}, {7, factor}};
    return out;
}

PipelineDescription scale_description() {
    PipelineDescription out;
    out.name = "scale";
    out.spirv = scale_shader();
    out.bindings = 1;
    return out;
}

} // namespace ff::gpu::testing

int main(int argc, char **argv) {
    const int status = doctest::Context(argc, argv).run();
    ff::gpu::testing::holder().reset(); // before the drivers' own static objects go
    return status;
}
