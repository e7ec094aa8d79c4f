// firefinch on the Vulkan device of a program: as it was made, and left as it was.
#include "tests/api/host_device.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <cstring>
#include <thread>

using namespace ff::test;

namespace {

const std::string kModel = FIREFINCH_SOURCE_DIR "/apps/firefinch/demo-model/demo-rwkv7.safetensors";
const std::vector<std::uint32_t> kPrompt = {'T', 'h', 'e', ' ', 'k', 'i', 'n', 'g'};
constexpr std::size_t kTokens = 40;

ff_generate_options greedy() {
    ff_generate_options options = firefinch::generate_options();
    options.count = kTokens;
    options.sampling.temperature = 0;
    return options;
}

std::string go_on(firefinch::Session &session) {
    std::string text;
    session.generate(greedy(), [&](std::uint32_t token) {
        text += static_cast<char>(token);
        return true;
    });
    return text;
}

std::string text_of(const firefinch::Model &model) {
    firefinch::Session session(model);
    session.prefill(kPrompt);
    return go_on(session);
}

std::string text_of(const firefinch::Engine &engine) {
    return text_of(firefinch::Model(engine, firefinch::Checkpoint(kModel)));
}

// In slices, in command buffers that the program records and submits itself.
std::string recorded_text(const firefinch::Engine &engine, const ff_vulkan_device &lent) {
    VkCommandPoolCreateInfo pool_info{};
    pool_info.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
    pool_info.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
    pool_info.queueFamilyIndex = lent.queue_family;
    VkCommandPool pool = VK_NULL_HANDLE;
    REQUIRE(vkCreateCommandPool(lent.device, &pool_info, nullptr, &pool) == VK_SUCCESS);
    VkCommandBufferAllocateInfo allocate{};
    allocate.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
    allocate.commandPool = pool;
    allocate.commandBufferCount = 1;
    VkCommandBuffer commands = VK_NULL_HANDLE;
    REQUIRE(vkAllocateCommandBuffers(lent.device, &allocate, &commands) == VK_SUCCESS);
    std::string text;
    {
        const firefinch::Model model(engine, firefinch::Checkpoint(kModel));
        firefinch::Session session(model);
        const ff_generate_options options = greedy();
        session.start(kPrompt, &options);
        for (ff_run_state state = FF_RUN_READING; state != FF_RUN_IDLE;) {
            VkCommandBufferBeginInfo begin{};
            begin.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
            REQUIRE(vkBeginCommandBuffer(commands, &begin) == VK_SUCCESS);
            const ff_slice_progress progress = firefinch::record(session, commands, 5000);
            REQUIRE(vkEndCommandBuffer(commands) == VK_SUCCESS);
            VkSubmitInfo submit{};
            submit.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
            submit.commandBufferCount = 1;
            submit.pCommandBuffers = &commands;
            lent.lock(lent.payload);
            REQUIRE(vkQueueSubmit(lent.queue, 1, &submit, VK_NULL_HANDLE) == VK_SUCCESS);
            REQUIRE(vkQueueWaitIdle(lent.queue) == VK_SUCCESS);
            lent.unlock(lent.payload);
            firefinch::retire(session, progress.slice);
            state = progress.state;
            for (const std::uint32_t token : session.poll()) text += static_cast<char>(token);
        }
        ff_slice_order older = FF_SLICE_ORDER_INIT; // of a program that knows nothing of `signal`
        older.struct_size = offsetof(ff_slice_order, signal);
        older.signal_count = 99;
        CHECK(ff_session_submit(session.get(), 0, &older, nullptr, nullptr) == FF_OK);
    }
    vkDestroyCommandPool(lent.device, pool, nullptr);
    return text;
}

// What an engine on a device of its own says.
const std::string &own_text() {
    static const std::string text = [] {
        ff_engine_options options = firefinch::engine_options();
        options.device = std::getenv("FIREFINCH_TEST_DEVICE");
        options.profile = std::getenv("FIREFINCH_TEST_PROFILE");
        return text_of(firefinch::Engine(options));
    }();
    return text;
}

firefinch::Engine engine_on(const ff_vulkan_device &lent, std::uint64_t budget = 0) {
    ff_engine_options options = engine_options_of(lent);
    options.device_memory_bytes = budget;
    return firefinch::Engine(options);
}

template <class Call>
ff_status status_of(Call &&call) {
    try {
        call();
    } catch (const firefinch::Error &error) {
        return error.status();
    }
    return FF_OK;
}

} // namespace

TEST_CASE("a borrowed device with nothing enabled, and with everything, says what an own one says") {
    CHECK(own_text().size() == kTokens);
    for (const Enable enable : {Enable::nothing, Enable::everything}) {
        CAPTURE(static_cast<int>(enable));
        HostDevice host(enable);
        const std::uint64_t before = host.locked();
        {
            const ff_vulkan_device lent = host.lend();
            const firefinch::Engine engine = engine_on(lent);
            CHECK(text_of(engine) == own_text());
            CHECK(recorded_text(engine, lent) == own_text());
            CHECK(engine.memory().allocations == 0);
            if (enable == Enable::nothing)
                CHECK(std::string(engine.device().traits).find("timeline") == std::string::npos);
        }
        CHECK(host.locked() > before);
        host.submit_nothing(); // it lives on
    }
}

TEST_CASE("a chain of the program's own gets the wanted features where it has places for them") {
    HostDevice host(Enable::everything);
    const firefinch::DeviceRequirements wanted(host.lend());
    VkPhysicalDeviceFeatures2 bare{};
    bare.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2;
    const std::uint32_t missing = wanted.enable(bare);
    VkPhysicalDeviceVulkan12Features of_12{};
    of_12.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES;
    VkPhysicalDeviceFeatures2 features = bare;
    features.pNext = &of_12;
    CHECK(wanted.enable(features) <= missing);
    std::uint32_t timelines = 0;
    for (auto each = static_cast<const VkBaseInStructure *>(wanted.info().features->pNext); each != nullptr;
         each = each->pNext)
        if (each->sType == VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES) ++timelines;
    CHECK(of_12.timelineSemaphore == timelines);
    CHECK(of_12.bufferDeviceAddress == VK_FALSE);
}

TEST_CASE("engines come and go on one device, and pass on their pipelines") {
    HostDevice host(Enable::everything);
    const ff_vulkan_device lent = host.lend();
    for (int i = 0; i < 100; ++i) engine_on(lent);
    std::vector<unsigned char> pipelines;
    for (int i = 0; i < 2; ++i) {
        ff_engine_options options = engine_options_of(lent);
        options.pipeline_cache = pipelines.data();
        options.pipeline_cache_size = pipelines.size();
        const firefinch::Engine engine(options);
        const firefinch::Model model(engine, firefinch::Checkpoint(kModel));
        CHECK((model.statistics().pipeline_cache_hit != 0) == !pipelines.empty());
        CHECK(text_of(model) == own_text());
        CHECK(host.allocations() == engine.memory().allocations);
        pipelines = engine.pipeline_cache();
    }
    if (!pipelines.empty()) { // damaged: not used, and no harm
        pipelines.back() ^= 1;
        ff_engine_options options = engine_options_of(lent);
        options.pipeline_cache = pipelines.data();
        options.pipeline_cache_size = pipelines.size();
        CHECK(firefinch::Engine(options).memory().allocations == 0);
    }
}

TEST_CASE("two engines in two threads, and the program submits to the same queue meanwhile") {
    HostDevice host(Enable::everything);
    const ff_vulkan_device lent = host.lend();
    const firefinch::Engine first = engine_on(lent), second = engine_on(lent);
    std::string texts[2];
    std::atomic<int> running{2};
    std::thread threads[2];
    for (int i = 0; i < 2; ++i)
        threads[i] = std::thread([&, i] {
            try {
                texts[i] = text_of(i == 0 ? first : second);
            } catch (const std::exception &failure) {
                texts[i] = failure.what();
            }
            --running;
        });
    int submissions = 0;
    for (; running > 0; ++submissions) host.submit_nothing();
    for (std::thread &thread : threads) thread.join();
    CHECK(submissions > 0);
    CHECK(texts[0] == own_text());
    CHECK(texts[1] == own_text());
}

TEST_CASE("what goes beyond the budget is refused and leaves nothing behind") {
    HostDevice host(Enable::everything);
    const ff_vulkan_device lent = host.lend();
    std::uint64_t needed = 0;
    {
        const firefinch::Engine engine = engine_on(lent, 1'000'000);
        CHECK(status_of([&] { text_of(engine); }) == FF_ERROR_OUT_OF_DEVICE_MEMORY);
        CHECK(host.allocations() == 0);
        const firefinch::Engine roomy = engine_on(lent);
        const firefinch::Model model(roomy, firefinch::Checkpoint(kModel));
        needed = roomy.memory().allocated_bytes;
        CHECK(needed > 1'000'000);
    }
    // Enough for one model: a second one and whatever else does not fit is refused, and the first goes on.
    const firefinch::Engine engine = engine_on(lent, needed / 10 * 19); // loading may take staging buffers too
    const firefinch::Model model(engine, firefinch::Checkpoint(kModel));
    CHECK(status_of([&] { firefinch::Model(engine, firefinch::Checkpoint(kModel)); }) == FF_ERROR_OUT_OF_DEVICE_MEMORY);
    CHECK(engine.memory().allocated_bytes == needed);
    CHECK(engine.memory().free_bytes < needed);
    CHECK(text_of(model) == own_text());
}

TEST_CASE("a lost device is told by every call, and snapshots go on elsewhere") {
    HostDevice host(Enable::everything);
    const ff_vulkan_device lent = host.lend_losing(1'000'000);
    const firefinch::Engine engine = engine_on(lent);
    const firefinch::Model model(engine, firefinch::Checkpoint(kModel));
    firefinch::Session session(model), unused(model);
    session.prefill(kPrompt);
    const firefinch::Snapshot snapshot(session);
    const std::string text = go_on(session);
    CHECK(text == own_text());

    static_cast<void>(host.lend_losing(1)); // the next submission is the last
    std::vector<float> logits(256);
    CHECK(status_of([&] {
              go_on(session);
              go_on(session);
          }) == FF_ERROR_DEVICE_LOST);
    CHECK(status_of([&] { go_on(session); }) == FF_ERROR_DEVICE_LOST);
    CHECK(status_of([&] { session.prefill(kPrompt); }) == FF_ERROR_DEVICE_LOST);
    CHECK(status_of([&] { session.evaluate(kPrompt.data(), 1, logits.data()); }) == FF_ERROR_DEVICE_LOST);
    CHECK(status_of([&] {
              session.start(kPrompt, nullptr);
              session.advance(FF_BUDGET_UNLIMITED);
          }) == FF_ERROR_DEVICE_LOST);
    CHECK(status_of([&] { session.reset(); }) == FF_ERROR_DEVICE_LOST);
    CHECK(status_of([&] { session.restore(snapshot); }) == FF_ERROR_DEVICE_LOST);
    CHECK(status_of([&] { session.fork(); }) == FF_ERROR_DEVICE_LOST);
    CHECK(status_of([&] { firefinch::Snapshot{session}; }) == FF_ERROR_DEVICE_LOST);
    CHECK(status_of([&] { session.save("lost.state"); }) == FF_ERROR_DEVICE_LOST);
    CHECK(status_of([&] { firefinch::Snapshot{unused}; }) == FF_OK); // its state was never on the device
    CHECK(status_of([&] { firefinch::Model(engine, firefinch::Checkpoint(kModel)); }) == FF_ERROR_DEVICE_LOST);

    HostDevice another(Enable::nothing);
    const ff_vulkan_device lent_then = another.lend();
    const firefinch::Engine later = engine_on(lent_then);
    const firefinch::Model reloaded(later, firefinch::Checkpoint(kModel));
    firefinch::Session resumed(reloaded);
    resumed.restore(snapshot);
    CHECK(go_on(resumed) == text);
}

TEST_CASE("a model is loaded in the background, as far as it is let") {
    HostDevice host(Enable::everything);
    const ff_vulkan_device lent = host.lend();
    const firefinch::Engine engine = engine_on(lent);
    const auto piece = [] { std::this_thread::sleep_for(std::chrono::milliseconds(1)); };
    {
        firefinch::ModelLoad load(engine, firefinch::Checkpoint(kModel));
        std::uint64_t allowed = 0, most = 0;
        ff_load_progress progress = load.step(0);
        CHECK(progress.done == 0);
        while (progress.finished == 0) {
            const std::uint64_t before = progress.done;
            progress = load.step(300'000);
            allowed += 300'000;
            if (std::strcmp(progress.stage, "loading weights") == 0) {
                CHECK(progress.done >= before);
                CHECK(progress.done <= allowed + (1U << 20));
                most = progress.done;
            }
            piece();
        }
        CHECK(most > 1'000'000);
        const firefinch::Model model = load.finish();
        CHECK(text_of(model) == own_text());
        CHECK(status_of([&] { load.finish(); }) == FF_ERROR_ARGUMENT);
    }
    CHECK(host.allocations() == 0);
    for (const std::uint64_t bytes : {0, 1, 2'000'000}) { // destroyed before, in the middle of, and near the end of it
        firefinch::ModelLoad load(engine, firefinch::Checkpoint(kModel));
        static_cast<void>(load.step(bytes));
        piece();
    }
    CHECK(host.allocations() == 0);
    firefinch::ModelLoad whole(engine, firefinch::Checkpoint(kModel)); // never let: finish() lifts the limit
    CHECK(text_of(whole.finish()) == own_text());
    const firefinch::Engine small = engine_on(lent, 1000);
    firefinch::ModelLoad refused(small, firefinch::Checkpoint(kModel));
    CHECK(status_of([&] { refused.finish(); }) == FF_ERROR_OUT_OF_DEVICE_MEMORY);
    CHECK(status_of([&] { refused.step(1); }) == FF_ERROR_OUT_OF_DEVICE_MEMORY);
}

TEST_CASE("mistakes of a program are told") {
    HostDevice host(Enable::nothing);
    const auto refused = [&](const char *what, auto change) {
        ff_vulkan_device lent = host.lend();
        ff_engine_options options = engine_options_of(lent);
        change(lent, options);
        CAPTURE(what);
        CHECK(status_of([&] { firefinch::Engine{options}; }) == FF_ERROR_ARGUMENT);
    };
    refused("no instance", [](auto &lent, auto &) { lent.instance = VK_NULL_HANDLE; });
    refused("no device", [](auto &lent, auto &) { lent.device = VK_NULL_HANDLE; });
    refused("no queue", [](auto &lent, auto &) { lent.queue = VK_NULL_HANDLE; });
    refused("queue family", [](auto &lent, auto &) { lent.queue_family = 99; });
    refused("lock alone", [](auto &lent, auto &) { lent.unlock = nullptr; });
    refused("free alone", [](auto &lent, auto &) { lent.allocate = nullptr; });
    refused("a list without a list", [](auto &lent, auto &) { lent.extension_count = 1; });
    refused("validate", [](auto &, auto &options) { options.validate = 1; });
    refused("a selector", [](auto &, auto &options) { options.device = "0"; });
    refused("a cache without bytes", [](auto &, auto &options) { options.pipeline_cache_size = 1; });
    ff_vulkan_device old = host.lend();
    old.api_version = VK_API_VERSION_1_0;
    CHECK(status_of([&] { engine_on(old); }) == FF_ERROR_UNSUPPORTED);
    CHECK(status_of([&] { firefinch::DeviceRequirements{old}; }) == FF_ERROR_UNSUPPORTED);
    // A program built with an older header, whose struct ends before the callbacks.
    ff_vulkan_device shorter = host.lend();
    shorter.struct_size = offsetof(ff_vulkan_device, payload);
    const std::uint64_t before = host.locked();
    CHECK(status_of([&] { engine_on(shorter); }) == FF_OK);
    CHECK(host.locked() == before);
}

TEST_CASE("what an older ff_device_requirements_info has no room for is left alone") {
    HostDevice host(Enable::nothing);
    const ff_vulkan_device lent = host.lend();
    ff_device_requirements *requirements = nullptr;
    REQUIRE(ff_device_requirements_create(&requirements, &lent, nullptr) == FF_OK);
    const VkPhysicalDeviceFeatures2 untouched{};
    ff_device_requirements_info info = FF_DEVICE_REQUIREMENTS_INFO_INIT;
    info.struct_size = offsetof(ff_device_requirements_info, features);
    info.features = &untouched;
    CHECK(ff_device_requirements_get(requirements, &info, nullptr) == FF_OK);
    CHECK(info.features == &untouched);
    CHECK(info.struct_size == offsetof(ff_device_requirements_info, features));
    ff_device_requirements_destroy(requirements);
}

extern "C" int vulkan_header_failures(); // vulkan_header_test.c

TEST_CASE("the header is C99") {
    CHECK(vulkan_header_failures() == 0);
}
