#include "tests/gpu/fixture.h"

#include <thread>

using namespace ff;
using namespace ff::gpu;
using namespace ff::gpu::testing;

namespace {

CommandBuffer empty_commands(const std::shared_ptr<Device> &device) {
    Recorder recorder = must(Recorder::create(device, "nothing", true));
    return must(recorder.finish());
}

} // namespace

TEST_CASE("values count submissions, with semaphores and with fences") {
    for (const char *profile : kProfiles) {
        CAPTURE(profile);
        Scope scope;
        const auto device = scope.device({.profile = profile});
        const CommandBuffer commands = empty_commands(device);
        auto timeline = must(Timeline::create(device));
        CHECK((timeline->semaphore() != VK_NULL_HANDLE) == device->traits().timeline_semaphore);
        CHECK(timeline->submitted() == 0);
        CHECK(must(timeline->completed()) == 0);
        must(timeline->wait(0));

        const std::vector<VkCommandBuffer> thrice(3, commands.handle()); // one command buffer, three times at once
        CHECK(must(timeline->submit(thrice)) == 3);
        CHECK(timeline->queue_submits() == (device->traits().timeline_semaphore ? 1 : 3));
        must(timeline->wait(2));
        CHECK(must(timeline->completed()) >= 2);
        must(timeline->wait(3));
        CHECK(must(timeline->completed()) == 3);
        must(timeline->wait(1));
        CHECK(must(timeline->submit({})) == 3);

        for (int i = 0; i < 50; ++i) CHECK(must(timeline->submit(thrice)) == 3U * static_cast<unsigned>(i + 2));
        must(timeline->wait(timeline->submitted()));
        CHECK(must(timeline->completed()) == timeline->submitted());
        CHECK(timeline->submitted() == 153);
    }
}

TEST_CASE("waiting for what was never submitted is refused, not endless") {
    for (const char *profile : {"native", "fences"}) {
        Scope scope;
        auto timeline = must(Timeline::create(scope.device({.profile = profile})));
        const auto refused = timeline->wait(1);
        REQUIRE_FALSE(refused.ok());
        CHECK(refused.error().status == Status::argument);
    }
}

TEST_CASE("two threads wait while a third submits") {
    for (const char *profile : {"native", "fences"}) {
        CAPTURE(profile);
        Scope scope;
        const auto device = scope.device({.profile = profile});
        const CommandBuffer commands = empty_commands(device);
        auto timeline = must(Timeline::create(device));
        const VkCommandBuffer handle = commands.handle();
        must(timeline->submit({&handle, 1}));
        std::atomic<int> failures{0};
        {
            std::vector<std::jthread> waiters;
            for (int i = 0; i < 2; ++i)
                waiters.emplace_back([&] {
                    for (int round = 0; round < 100; ++round)
                        if (!timeline->wait(timeline->submitted())) ++failures;
                });
            for (int round = 0; round < 100; ++round) must(timeline->submit({&handle, 1}));
        }
        CHECK(failures == 0);
        must(timeline->wait(timeline->submitted()));
    }
}

TEST_CASE("a timeline waits for its last submission before it goes") {
    for (const char *profile : {"native", "fences"}) {
        Scope scope;
        const auto device = scope.device({.profile = profile});
        const CommandBuffer commands = empty_commands(device);
        const std::vector<VkCommandBuffer> many(20, commands.handle());
        auto timeline = must(Timeline::create(device));
        must(timeline->submit(many));
        timeline.reset();
    }
}
