// A device of the program around us: used as it was made, and left as it was.
#include "runtime/gpu/device_query.h"
#include "tests/gpu/fixture.h"

using namespace ff;
using namespace ff::gpu;
using namespace ff::gpu::testing;

namespace {

template <class T>
T structure(VkStructureType type, void *next = nullptr) {
    T out{};
    out.sType = type;
    out.pNext = next;
    return out;
}

DeviceTraits everything() {
    DeviceTraits out;
    out.subgroup_size = 32;
    out.subgroup_size_min = 8;
    out.subgroup_size_max = 64;
    out.subgroup_size_control = out.subgroup_arithmetic = true;
    out.storage16 = out.storage8 = out.float16 = out.int16 = out.int8 = true;
    out.integer_dot_product = out.integer_dot_accelerated = out.integer_dot_mixed_accelerated = true;
    out.matrix_shapes = {{16, 16, 16}};
    out.timeline_semaphore = out.memory_budget = out.buffer_addresses = true;
    return out;
}

} // namespace

TEST_CASE("what a host did not enable is not there") {
    const DeviceTraits bare = enabled_traits(everything(), VK_API_VERSION_1_3, nullptr, {});
    CHECK_FALSE((bare.storage16 || bare.storage8 || bare.float16 || bare.int16 || bare.int8));
    CHECK_FALSE((bare.integer_dot_product || bare.integer_dot_accelerated || bare.timeline_semaphore));
    CHECK_FALSE((bare.buffer_addresses || bare.memory_budget || bare.subgroup_size_control));
    CHECK(bare.matrix_shapes.empty());
    CHECK(bare.subgroup_size_max == 32);
    CHECK(bare.subgroup_arithmetic); // no feature: a property

    auto timeline = structure<VkPhysicalDeviceTimelineSemaphoreFeatures>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES);
    timeline.timelineSemaphore = VK_TRUE;
    const auto features = structure<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &timeline);
    CHECK(enabled_traits(everything(), VK_API_VERSION_1_2, &features, {}).timeline_semaphore);
    CHECK_FALSE(enabled_traits(everything(), VK_API_VERSION_1_1, &features, {}).timeline_semaphore);
    const char *extensions[] = {VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME};
    const DeviceTraits extended = enabled_traits(everything(), VK_API_VERSION_1_1, &features, extensions);
    CHECK(extended.timeline_semaphore);
    CHECK(extended.memory_budget);
    CHECK_FALSE(enabled_traits(DeviceTraits{}, VK_API_VERSION_1_3, &features, extensions).timeline_semaphore);
}

TEST_CASE("features are found in the collected structures too") {
    auto of_13 = structure<VkPhysicalDeviceVulkan13Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES);
    of_13.subgroupSizeControl = of_13.computeFullSubgroups = of_13.shaderIntegerDotProduct = VK_TRUE;
    auto of_12 =
        structure<VkPhysicalDeviceVulkan12Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, &of_13);
    of_12.storageBuffer8BitAccess = of_12.shaderFloat16 = of_12.shaderInt8 = VK_TRUE;
    of_12.timelineSemaphore = of_12.bufferDeviceAddress = VK_TRUE;
    auto of_11 =
        structure<VkPhysicalDeviceVulkan11Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, &of_12);
    of_11.storageBuffer16BitAccess = VK_TRUE;
    auto features = structure<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &of_11);
    features.features.shaderInt16 = VK_TRUE;
    const DeviceTraits traits = enabled_traits(everything(), VK_API_VERSION_1_3, &features, {});
    CHECK((traits.storage16 && traits.storage8 && traits.float16 && traits.int16 && traits.int8));
    CHECK((traits.integer_dot_product && traits.timeline_semaphore && traits.buffer_addresses));
    CHECK(traits.subgroup_size_control);
    CHECK(traits.subgroup_size_min == 8);
    CHECK(traits.matrix_shapes.empty());
    auto matrices = structure<VkPhysicalDeviceCooperativeMatrixFeaturesKHR>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_KHR, &of_11);
    matrices.cooperativeMatrix = of_12.vulkanMemoryModel = of_12.vulkanMemoryModelDeviceScope = VK_TRUE;
    features.pNext = &matrices;
    const char *extensions[] = {VK_KHR_COOPERATIVE_MATRIX_EXTENSION_NAME};
    CHECK_FALSE(enabled_traits(everything(), VK_API_VERSION_1_3, &features, extensions).matrix_shapes.empty());
    CHECK(enabled_traits(everything(), VK_API_VERSION_1_3, &features, {}).matrix_shapes.empty());
    of_12.vulkanMemoryModelDeviceScope = VK_FALSE; // which atomics and barriers of other kernels need then
    CHECK(enabled_traits(everything(), VK_API_VERSION_1_3, &features, extensions).matrix_shapes.empty());
    of_12.vulkanMemoryModelDeviceScope = VK_TRUE, of_12.vulkanMemoryModel = VK_FALSE;
    CHECK(enabled_traits(everything(), VK_API_VERSION_1_3, &features, extensions).matrix_shapes.empty());
}

TEST_CASE("a host's device works, is locked for every submission, and lives on") {
    Scope scope;
    const auto owner = scope.device(); // plays the host
    int locked = 0, unlocked = 0;
    const auto guest_instance = must(Instance::adopt(
        {.handle = instance()->handle(), .api_version = instance()->api_version(), .debug_utils = true}, {}));
    auto timeline_features = structure<VkPhysicalDeviceTimelineSemaphoreFeatures>(
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES);
    timeline_features.timelineSemaphore = owner->traits().timeline_semaphore ? VK_TRUE : VK_FALSE;
    const auto features =
        structure<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &timeline_features);
    HostDevice host;
    host.physical = owner->physical();
    host.handle = owner->handle();
    host.queue = owner->compute_queue();
    host.queue_family = owner->compute_family();
    host.features = &features;
    host.lock = [&] { ++locked; };
    host.unlock = [&] { ++unlocked; };
    {
        const auto guest = must(Device::adopt(guest_instance, host, {.memory_budget_bytes = 1'000'000}));
        CHECK(guest->handle() == owner->handle());
        CHECK(guest->index() == owner->index());
        CHECK_FALSE(guest->traits().storage16);
        CHECK(guest->traits().timeline_semaphore == owner->traits().timeline_semaphore);
        CHECK_FALSE(Buffer::create(guest, MemoryKind::device, 2'000'000, "too much").ok());
        const Buffer buffer = must(Buffer::create(guest, MemoryKind::device, 1000, "guest"));
        CHECK(owner->allocation_count() == 0);
        CHECK(must(download(guest, buffer.view())).size() == 1000);
        CHECK(locked == 1);
        CHECK(unlocked == 1);
    }
    const Buffer after = must(Buffer::create(owner, MemoryKind::device, 1000, "host"));
    CHECK(must(download(owner, after.view())).size() == 1000);
    CHECK(locked == 1);
}

TEST_CASE("a host's mistakes are told") {
    Scope scope;
    const auto owner = scope.device();
    CHECK(Device::adopt(instance(), {}, {}).error().status == Status::argument);
    HostDevice host;
    host.physical = owner->physical();
    host.handle = owner->handle();
    host.queue = owner->compute_queue();
    host.queue_family = 99;
    CHECK(Device::adopt(instance(), host, {}).error().status == Status::argument);
    CHECK(Instance::adopt({}, {}).error().status == Status::argument);
}
