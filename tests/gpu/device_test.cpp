#include "tests/gpu/fixture.h"

#include "runtime/gpu/names.h"

using namespace ff;
using namespace ff::gpu;
using namespace ff::gpu::testing;

TEST_CASE("a device comes up under every profile") {
    for (const Profile &profile : profiles()) {
        CAPTURE(profile.name);
        Scope scope;
        const auto device = scope.device({.profile = std::string(profile.name)});
        CHECK(device->handle() != VK_NULL_HANDLE);
        CHECK(device->compute_queue() != VK_NULL_HANDLE);
        CHECK(device->info().uuid.size() == 32);
        CHECK_FALSE(device->traits().driver.empty());
        CHECK(device->free_memory_bytes() > 0);
        CHECK_FALSE(summary(device->traits()).empty());
    }
}

TEST_CASE("two devices in a process are independent") {
    Scope scope;
    const auto first = scope.device();
    auto second = must(Device::create(instance(), first->index(), {}));
    const Buffer of_first = must(Buffer::create(first, MemoryKind::device, 100, "first"));
    { const Buffer of_second = must(Buffer::create(second, MemoryKind::device, 100, "second")); }
    CHECK(second->allocation_count() == 0);
    second.reset();
    CHECK(first->allocation_count() == 1);
    CHECK(must(download(first, of_first.view())).size() == 100);
}

TEST_CASE("two instances in a process are independent") {
    Scope scope;
    {
        const auto other = must(Instance::create({}));
        const auto device = must(Device::create(other, must(other->choose(scope.device()->info().uuid)), {}));
        const Buffer buffer = must(Buffer::create(device, MemoryKind::device, 100, "other instance"));
        CHECK(must(download(device, buffer.view())).size() == 100);
        CHECK(other->validation_messages() == 0);
    }
    const auto device = scope.device(); // the validated instance still speaks through its own functions
    device->set_name(VK_OBJECT_TYPE_QUEUE, device->compute_queue(), "named");
}

TEST_CASE("an unknown profile or device is refused by name") {
    const auto profile = Device::create(instance(), 0, {.profile = "sofa"});
    REQUIRE_FALSE(profile.ok());
    CHECK(profile.error().status == Status::argument);
    CHECK(profile.error().message.find("sofa") != std::string::npos);
    CHECK(profile.error().message.find("floor") != std::string::npos);
    const auto index = Device::create(instance(), 99, {});
    REQUIRE_FALSE(index.ok());
    CHECK(index.error().status == Status::argument);
}

TEST_CASE("a mask lowers single limits") {
    Scope scope;
    const auto device = scope.device({.mask = [](DeviceTraits &traits) { traits.max_storage_buffer_range = 1234; }});
    CHECK(device->traits().max_storage_buffer_range == 1234);
    CHECK(device->info().traits.max_storage_buffer_range > 1234);
}

TEST_CASE("a low-priority queue is asked for where it can be had") {
    Scope scope;
    CHECK(scope.device({.prefer_graphics_queue = true, .low_priority = true})->compute_queue() != VK_NULL_HANDLE);
}

TEST_CASE("results become sentences") {
    Scope scope;
    const auto device = scope.device();
    const Error lost = device->error(VK_ERROR_DEVICE_LOST, "vkQueueSubmit", "decode");
    CHECK(lost.status == Status::device_lost);
    CHECK(lost.message.starts_with("vkQueueSubmit of decode on "));
    CHECK(lost.message.find("VK_ERROR_DEVICE_LOST") != std::string::npos);
    CHECK(device->error(VK_ERROR_OUT_OF_DEVICE_MEMORY, "a", "b").status == Status::out_of_device_memory);
    CHECK(device->error(VK_ERROR_OUT_OF_HOST_MEMORY, "a", "b").status == Status::out_of_host_memory);
    CHECK(device->error(VK_ERROR_UNKNOWN, "a", "b").status == Status::device);
    CHECK(name_of(static_cast<VkResult>(-12345)) == "VkResult -12345");
}

TEST_CASE("bytes are told as people read them") {
    CHECK(human_bytes(0) == "0 bytes");
    CHECK(human_bytes(999) == "999 bytes");
    CHECK(human_bytes(1500) == "1.5 KB");
    CHECK(human_bytes(268'435'456) == "268.4 MB");
    CHECK(human_bytes(999'960'000) == "1.0 GB");
    CHECK(human_bytes(5'900'000'000) == "5.9 GB");
}
