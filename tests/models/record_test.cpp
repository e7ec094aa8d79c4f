// Slices in the program's own command buffers and between its semaphores, and what shaders are told of a session. The
// device is the engine's; what the program would do with it is written out here.
#include "loader/tensor_source.h"
#include "runtime/api/objects.h"
#include "tests/models/fixture.h"
#include "runtime/reference/reference.h"

#include <firefinch/firefinch_vulkan.h>

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

using namespace ff;
using namespace ff::test;

namespace {

const std::shared_ptr<gpu::Device> &engines_device() {
    return test::engine().get()->engine->device();
}

// A program that records a command buffer a frame and waits for it.
class Host {
  public:
    const auto &vk() const { return device_.vk(); }
    Host() : device_(*engines_device()) {
        VkCommandPoolCreateInfo pool{};
        pool.sType = VK_STRUCTURE_TYPE_COMMAND_POOL_CREATE_INFO;
        pool.flags = VK_COMMAND_POOL_CREATE_RESET_COMMAND_BUFFER_BIT;
        pool.queueFamilyIndex = device_.compute_family();
        REQUIRE(vk().vkCreateCommandPool(device_.handle(), &pool, nullptr, &pool_) == VK_SUCCESS);
        VkCommandBufferAllocateInfo buffer{};
        buffer.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_ALLOCATE_INFO;
        buffer.commandPool = pool_;
        buffer.level = VK_COMMAND_BUFFER_LEVEL_PRIMARY;
        buffer.commandBufferCount = 1;
        REQUIRE(vk().vkAllocateCommandBuffers(device_.handle(), &buffer, &commands_) == VK_SUCCESS);
        VkFenceCreateInfo fence{};
        fence.sType = VK_STRUCTURE_TYPE_FENCE_CREATE_INFO;
        REQUIRE(vk().vkCreateFence(device_.handle(), &fence, nullptr, &fence_) == VK_SUCCESS);
    }
    ~Host() {
        vk().vkDestroyFence(device_.handle(), fence_, nullptr);
        vk().vkDestroyCommandPool(device_.handle(), pool_, nullptr);
    }
    Host(const Host &) = delete;
    Host &operator=(const Host &) = delete;

    VkDevice device() const { return device_.handle(); }
    template <class Function>
    Function function(const char *name) const { // that the engine has no use for
        return reinterpret_cast<Function>(device_.instance().vk().vkGetDeviceProcAddr(device(), name));
    }
    bool has_timelines() const { return device_.traits().timeline_semaphore; }

    VkCommandBuffer begin() {
        VkCommandBufferBeginInfo info{};
        info.sType = VK_STRUCTURE_TYPE_COMMAND_BUFFER_BEGIN_INFO;
        REQUIRE(vk().vkBeginCommandBuffer(commands_, &info) == VK_SUCCESS);
        return commands_;
    }
    // Records a copy for the host; with no barrier, since a slice ends with one.
    void read(const ff_buffer_range &range) {
        auto target = gpu::Buffer::create(engines_device(), gpu::MemoryKind::readback, range.size, "read");
        REQUIRE(target.ok());
        const VkBufferCopy region{range.offset, 0, range.size};
        vk().vkCmdCopyBuffer(commands_, range.buffer, target->view().buffer, 1, &region);
        reads_.push_back(std::move(*target));
    }
    void run() {
        VkMemoryBarrier barrier{};
        barrier.sType = VK_STRUCTURE_TYPE_MEMORY_BARRIER;
        barrier.srcAccessMask = VK_ACCESS_TRANSFER_WRITE_BIT;
        barrier.dstAccessMask = VK_ACCESS_HOST_READ_BIT;
        vk().vkCmdPipelineBarrier(commands_, VK_PIPELINE_STAGE_TRANSFER_BIT, VK_PIPELINE_STAGE_HOST_BIT, 0, 1, &barrier,
                                  0, nullptr, 0, nullptr);
        REQUIRE(vk().vkEndCommandBuffer(commands_) == VK_SUCCESS);
        VkSubmitInfo info{};
        info.sType = VK_STRUCTURE_TYPE_SUBMIT_INFO;
        info.commandBufferCount = 1;
        info.pCommandBuffers = &commands_;
        REQUIRE(device_.submit({&info, 1}, fence_) == VK_SUCCESS);
        REQUIRE(vk().vkWaitForFences(device_.handle(), 1, &fence_, VK_TRUE, ~0ULL) == VK_SUCCESS);
        REQUIRE(vk().vkResetFences(device_.handle(), 1, &fence_) == VK_SUCCESS);
    }
    // What read() copied, in its order.
    template <class T>
    std::vector<T> take() {
        const gpu::Buffer buffer = std::move(reads_.front());
        reads_.erase(reads_.begin());
        const auto *values = reinterpret_cast<const T *>(buffer.view().mapped);
        return {values, values + buffer.bytes() / sizeof(T)};
    }

  private:
    gpu::Device &device_;
    VkCommandPool pool_ = VK_NULL_HANDLE;
    VkCommandBuffer commands_ = VK_NULL_HANDLE;
    VkFence fence_ = VK_NULL_HANDLE;
    std::vector<gpu::Buffer> reads_;
};

ff_buffer_range range_of(firefinch::Session &session, ff_session_data data, std::uint32_t layer = 0) {
    ff_buffer_range range{};
    REQUIRE(ff_session_buffer(session.get(), data, layer, &range, nullptr) == FF_OK);
    return range;
}

std::vector<float> tensor(const loader::TensorSource &file, std::string_view name) {
    const auto tensors = file.tensors();
    const auto found = std::ranges::find(tensors, name, &loader::TensorInfo::name);
    REQUIRE(found != tensors.end());
    const auto bytes = file.read(static_cast<std::size_t>(found - tensors.begin()));
    REQUIRE(bytes.ok());
    std::vector<float> values(found->elements());
    loader::to_float32(found->dtype, bytes->bytes(), values);
    return values;
}

} // namespace

TEST_CASE("record: slices in the program's command buffers, beside a session that is submitted") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    const ff_generate_options options = greedy_options(6);
    firefinch::Session whole(model), session(model), other(model);
    whole.prefill(demo.tokens);
    const auto want = generate(whole, options).tokens;
    const auto next = generate(whole, greedy_options(1)).tokens;

    Host host;
    const std::uint32_t layers = model.info().layers;
    CHECK(ff_session_keep_hidden(session.get(), 1, nullptr) == FF_OK);
    session.start(demo.tokens, &options);
    other.start(demo.tokens, &options);
    std::vector<float> logits, hidden, hidden_before;
    std::vector<std::uint32_t> ring, count;
    for (ff_run_state state = FF_RUN_READING; state != FF_RUN_IDLE;) {
        ff_slice_progress progress = FF_SLICE_PROGRESS_INIT;
        REQUIRE(ff_session_record(session.get(), host.begin(), 4000, &progress, nullptr) == FF_OK);
        state = progress.state;
        if (state != FF_RUN_IDLE) {
            host.read(range_of(session, FF_SESSION_LOGITS));
            host.read(range_of(session, FF_SESSION_TOKENS));
            host.read(range_of(session, FF_SESSION_TOKEN_COUNT));
            host.read(range_of(session, FF_SESSION_HIDDEN, layers - 1));
            host.read(range_of(session, FF_SESSION_HIDDEN, layers - 2));
        }
        other.advance(1000);
        host.run();
        if (state != FF_RUN_IDLE) {
            logits = host.take<float>();
            ring = host.take<std::uint32_t>();
            count = host.take<std::uint32_t>();
            hidden = host.take<float>();
            hidden_before = host.take<float>();
        }
        CHECK(ff_session_retire(session.get(), progress.slice, nullptr) == FF_OK);
    }
    CHECK(session.poll() == want);
    while (other.advance(FF_BUDGET_UNLIMITED).state != FF_RUN_IDLE) other.wait();
    CHECK(other.poll() == want);

    REQUIRE(count == std::vector<std::uint32_t>{6});
    REQUIRE(ring.size() == 256);
    ring.resize(6);
    CHECK(ring == want);
    CHECK(argmax(logits) == next.front());
    // The residual stream after the last layer is what the head makes these logits of.
    const auto file = loader::open_tensor_source(demo.model.string());
    REQUIRE(file.ok());
    CHECK(hidden != hidden_before);
    REQUIRE(hidden.size() == model.info().width);
    const auto of_hidden = reference::head(tensor(**file, "head.weight"), hidden, tensor(**file, "ln_out.weight"),
                                           tensor(**file, "ln_out.bias"));
    REQUIRE(of_hidden.size() == logits.size());
    for (std::size_t i = 0; i < logits.size(); ++i)
        CHECK(std::abs(of_hidden[i] - static_cast<double>(logits[i])) < kRight);
}

TEST_CASE("record: what was recorded and not retired holds the run up, and says so") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    firefinch::Session session(model);
    session.start(demo.tokens, nullptr);
    Host host;
    ff_error error{};
    ff_slice_progress progress = FF_SLICE_PROGRESS_INIT;
    const VkCommandBuffer commands = host.begin();
    for (std::uint64_t slice : {1U, 2U, 3U, 4U, 0U}) {
        CHECK(ff_session_record(session.get(), commands, 1, &progress, nullptr) == FF_OK);
        CHECK(progress.slice == slice);
    }
    CHECK(ff_session_wait(session.get(), &error) == FF_ERROR_ARGUMENT);
    CHECK(std::string(error.message).find("ff_session_retire") != std::string::npos);
    ff_buffer_range range{};
    CHECK(ff_session_buffer(session.get(), FF_SESSION_HIDDEN, 0, &range, &error) == FF_ERROR_ARGUMENT);
    CHECK(ff_session_keep_hidden(session.get(), 1, &error) == FF_ERROR_ARGUMENT);
    host.run();
    CHECK(ff_session_retire(session.get(), 4, nullptr) == FF_OK);
    CHECK(ff_session_record(session.get(), nullptr, 1, &progress, nullptr) == FF_ERROR_ARGUMENT);
    session.cancel();
    session.reset();
    CHECK(ff_session_buffer(session.get(), FF_SESSION_LOGITS, 0, &range, &error) == FF_ERROR_ARGUMENT);
}

TEST_CASE("record: a submitted slice waits for semaphores and signals some") {
    const Golden demo = demo_golden();
    const firefinch::Model model = load(demo.model);
    firefinch::Session session(model);
    Host host;
    ff_semaphore_at last{};
    session.start(demo.tokens, nullptr);
    if (!host.has_timelines()) {
        CHECK(ff_session_timeline(session.get(), &last, nullptr) == FF_ERROR_UNSUPPORTED);
        return;
    }
    VkSemaphoreTypeCreateInfo type{};
    type.sType = VK_STRUCTURE_TYPE_SEMAPHORE_TYPE_CREATE_INFO;
    type.semaphoreType = VK_SEMAPHORE_TYPE_TIMELINE;
    VkSemaphoreCreateInfo info{};
    info.sType = VK_STRUCTURE_TYPE_SEMAPHORE_CREATE_INFO;
    info.pNext = &type;
    VkSemaphore semaphore = VK_NULL_HANDLE;
    REQUIRE(host.vk().vkCreateSemaphore(host.device(), &info, nullptr, &semaphore) == VK_SUCCESS);
    const ff_semaphore_at before{semaphore, 1}, after{semaphore, 2};
    ff_slice_order order = FF_SLICE_ORDER_INIT;
    order.wait = &before;
    order.signal = &after;
    order.wait_count = order.signal_count = 1;
    ff_slice_progress progress = FF_SLICE_PROGRESS_INIT;
    REQUIRE(ff_session_submit(session.get(), FF_BUDGET_UNLIMITED, &order, &progress, nullptr) == FF_OK);
    CHECK(progress.slice == 1);
    CHECK(ff_session_timeline(session.get(), &last, nullptr) == FF_OK);
    CHECK(session.advance(0).finished == 0); // it waits
    std::uint64_t value = 7;
    REQUIRE(host.vk().vkGetSemaphoreCounterValue(host.device(), semaphore, &value) == VK_SUCCESS);
    CHECK(value == 0);
    VkSemaphoreSignalInfo signal{};
    signal.sType = VK_STRUCTURE_TYPE_SEMAPHORE_SIGNAL_INFO;
    signal.semaphore = semaphore;
    signal.value = 1;
    const auto signal_semaphore = host.function<PFN_vkSignalSemaphore>("vkSignalSemaphore");
    REQUIRE(signal_semaphore(host.device(), &signal) == VK_SUCCESS);
    const VkSemaphore both[] = {semaphore, last.semaphore};
    const std::uint64_t values[] = {2, last.value};
    VkSemaphoreWaitInfo wait{};
    wait.sType = VK_STRUCTURE_TYPE_SEMAPHORE_WAIT_INFO;
    wait.semaphoreCount = 2;
    wait.pSemaphores = both;
    wait.pValues = values;
    REQUIRE(host.vk().vkWaitSemaphores(host.device(), &wait, ~0ULL) == VK_SUCCESS);
    CHECK(session.advance(0).finished == 1);
    // Where there is nothing to submit, the semaphores are signalled all the same.
    const ff_semaphore_at later{semaphore, 3};
    order.wait = &after;
    order.signal = &later;
    REQUIRE(ff_session_submit(session.get(), 0, &order, &progress, nullptr) == FF_OK);
    CHECK(progress.slice == 0);
    const std::uint64_t third = 3;
    wait.semaphoreCount = 1;
    wait.pValues = &third;
    REQUIRE(host.vk().vkWaitSemaphores(host.device(), &wait, ~0ULL) == VK_SUCCESS);
    host.vk().vkDestroySemaphore(host.device(), semaphore, nullptr);
}
