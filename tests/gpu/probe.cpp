// gpu_probe [PROFILE]: brings the device layer up on every device and under every profile that is no captured device's, or the given
// one, and prints what it sees: for a driver one has not met before. Results are not looked at, so it runs on drivers that only
// pretend to compute.
#include "runtime/gpu/captured_devices.h"
#include "runtime/gpu/names.h"
#include "runtime/gpu/pipeline.h"
#include "runtime/gpu/recorder.h"
#include "runtime/gpu/timeline.h"
#include "runtime/gpu/upload.h"
#include "tests/gpu/shaders.h"

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>

using namespace ff;
using namespace ff::gpu;

namespace {

Result<void> run(const std::shared_ptr<Instance> &instance, std::size_t index, std::string_view profile) {
    FF_TRY_ASSIGN(const auto device, Device::create(instance, index, {.profile = std::string(profile)}));
    FF_TRY_ASSIGN(auto pipelines, PipelineSet::create(device, {}));
    PipelineDescription description;
    description.name = "scale";
    description.spirv = testing::scale_shader();
    description.bindings = 1;
    std::vector<PipelineDescription> descriptions{description};
    if (device->traits().subgroup_size_control)
        for (std::uint32_t size = device->traits().subgroup_size_min; size <= device->traits().subgroup_size_max;
             size *= 2) {
            descriptions.push_back(description);
            descriptions.back().required_subgroup_size = size;
        }
    FF_TRY_ASSIGN(const auto made, pipelines->compile(descriptions, {}));
    FF_TRY_ASSIGN(const Buffer x, Buffer::create(device, MemoryKind::device, 1U << 20, "x"));
    FF_TRY_ASSIGN(const Buffer shared, Buffer::create(device, MemoryKind::shared, 4096, "shared"));
    FF_TRY_ASSIGN(Uploader uploader, Uploader::create(device));
    FF_TRY(uploader.zero(x.view()));
    FF_TRY(uploader.write(x.view(), std::vector<std::byte>(1U << 20)));
    FF_TRY(uploader.finish());
    FF_TRY_ASSIGN(Recorder recorder, Recorder::create(device, "probe", true));
    const BufferView view = x.view();
    const Use use{view, Access::read_write};
    for (const Pipeline *pipeline : made)
        FF_TRY(recorder.launch(
            {.pipeline = pipeline, .buffers = {&view, 1}, .groups = {100, 1, 1}, .uses = {&use, 1}, .label = "probe"}));
    FF_TRY(recorder.copy(x.view(), shared.view(), "look"));
    FF_TRY_ASSIGN(const CommandBuffer commands, recorder.finish());
    FF_TRY_ASSIGN(const auto timeline, Timeline::create(device));
    const std::vector<VkCommandBuffer> twice(2, commands.handle());
    FF_TRY_ASSIGN(const std::uint64_t value, timeline->submit(twice));
    FF_TRY(timeline->wait(value));
    FF_TRY(download(device, x.view().slice(5, 1000)));
    fmt::print("  {:12} queue family {}, {} pipelines, {} free, weights {}\n", profile, device->compute_family(),
               made.size(), human_bytes(device->free_memory_bytes()), view.mapped != nullptr ? "in place" : "staged");
    std::fflush(stdout);
    return {};
}

} // namespace

int main(int argc, char **argv) {
    const std::string_view only = argc > 1 ? argv[1] : "";
    const auto log = [](LogLevel, std::string_view message) { fmt::print("  said: {}\n", message); };
    const auto instance = Instance::create({.validate = std::getenv("FIREFINCH_TEST_VALIDATE") != nullptr, .log = log});
    if (!instance) {
        fmt::print("{}\n", instance.error().message);
        return 1;
    }
    int status = 0;
    bool ran = false;
    for (std::size_t i = 0; i < instance.value()->devices().size(); ++i) {
        const DeviceInfo &info = instance.value()->devices()[i];
        fmt::print("{}: {} ({}, Vulkan {}, {} {}, {})\n  {}\n", i, info.name, name_of(info.type),
                   version_text(info.api_version), info.traits.driver, info.driver_info, human_bytes(info.memory_bytes),
                   summary(info.traits));
        for (const Profile &profile : profiles())
            if (only.empty() ? find_captured_device(profile.name) != nullptr : profile.name != only) continue;
            else if (auto result = run(instance.value(), i, profile.name); ran = true, !result) {
                fmt::print("  {:12} FAILED: {}\n", profile.name, result.error().message);
                status = 1;
            }
    }
    if (!ran) fmt::print("there is no device, or no profile {}\n", only);
    if (!ran || instance.value()->validation_messages() != 0) status = 1;
    std::fflush(stdout);
    std::_Exit(status); // drivers that only pretend may crash on their way out
}
