#include "tests/gpu/fixture.h"

using namespace ff;
using namespace ff::gpu;
using namespace ff::gpu::testing;

namespace {

std::span<const std::byte> params_of(const AddParams &params) {
    return std::as_bytes(std::span(&params, 1));
}

} // namespace

TEST_CASE("a launch adds, under every profile") {
    for (const char *profile : kProfiles)
        for (const std::uint32_t count : {1U, 63U, 1000U}) {
            CAPTURE(profile);
            CAPTURE(count);
            Scope scope;
            const auto device = scope.device({.profile = profile});
            auto pipelines = must(PipelineSet::create(device, {}));
            const PipelineDescription description = add_description(64, 5);
            const Pipeline *add = must(pipelines->compile({&description, 1}, {})).front();
            const Buffer a = must(Buffer::create(device, MemoryKind::device, count * 4, "a"));
            const Buffer b = must(Buffer::create(device, MemoryKind::device, count * 4, "b"));
            const Buffer y = must(Buffer::create(device, MemoryKind::device, count * 4, "y"));
            Uploader uploader = must(Uploader::create(device));
            must(uploader.write(a.view(), bytes_of(counting(count, 7))));
            must(uploader.write(b.view(), bytes_of(counting(count))));
            must(uploader.finish());

            Recorder recorder = must(Recorder::create(device, "add", false));
            const AddParams params{count, 3};
            const BufferView buffers[] = {a.view(), b.view(), y.view()};
            const Use uses[] = {{a.view(), Access::read}, {b.view(), Access::read}, {y.view(), Access::write}};
            must(recorder.launch({.pipeline = add,
                                  .buffers = buffers,
                                  .push_constants = params_of(params),
                                  .groups = {(count + 63) / 64, 1, 1},
                                  .uses = uses,
                                  .label = "add"}));
            const CommandBuffer commands = must(recorder.finish());
            CHECK(commands.launches() == 1);
            CHECK(commands.barriers() == 0);
            auto timeline = must(Timeline::create(device));
            const VkCommandBuffer handle = commands.handle();
            must(timeline->wait(must(timeline->submit({&handle, 1}))));

            std::vector<std::uint32_t> want(count);
            for (std::uint32_t i = 0; i < count; ++i) want[i] = i + 7 + i * 5 + 3;
            const auto got = words_of(must(download(device, y.view())));
            if (computes()) CHECK(got == want);
        }
}

TEST_CASE("a reusable command buffer is replayed many times at once, and no replay overtakes another") {
    for (const char *profile : kProfiles) {
        CAPTURE(profile);
        Scope scope;
        const auto device = scope.device({.profile = profile});
        auto pipelines = must(PipelineSet::create(device, {}));
        const PipelineDescription description = scale_description();
        const Pipeline *scale = must(pipelines->compile({&description, 1}, {})).front();
        const Buffer x = must(Buffer::create(device, MemoryKind::device, 40, "x"));
        const Buffer seen = must(Buffer::create(device, MemoryKind::readback, 40, "seen"));
        Uploader uploader = must(Uploader::create(device));
        must(uploader.write(x.view(), bytes_of(counting(10))));
        must(uploader.finish());

        Recorder recorder = must(Recorder::create(device, "replayed", true));
        const BufferView buffers[] = {x.view()};
        const Use uses[] = {{x.view(), Access::read_write}};
        for (int i = 0; i < 3; ++i)
            must(recorder.launch({.pipeline = scale, .buffers = buffers, .uses = uses, .label = "scale"}));
        must(recorder.copy(x.view(), seen.view(), "look"));
        const CommandBuffer commands = must(recorder.finish());
        CHECK(commands.launches() == 3);
        CHECK(commands.barriers() == 3); // two between launches, one before the copy
        CHECK(commands.barrier_before() == std::vector<bool>{false, true, true});

        auto timeline = must(Timeline::create(device));
        const std::vector<VkCommandBuffer> times(4, commands.handle());
        must(timeline->submit(times));
        must(timeline->wait(must(timeline->submit(times))));
        std::vector<std::uint32_t> want = counting(10);
        for (int i = 0; i < 24; ++i)
            for (std::uint32_t &value : want) value = value * 3 + 1;
        if (!computes()) continue;
        CHECK(words_of(must(download(device, x.view()))) == want);
        CHECK(std::memcmp(seen.view().mapped, want.data(), 40) == 0);
    }
}

TEST_CASE("launches on different bytes run without a barrier between them") {
    Scope scope;
    const auto device = scope.device();
    auto pipelines = must(PipelineSet::create(device, {}));
    const PipelineDescription description = scale_description();
    const Pipeline *scale = must(pipelines->compile({&description, 1}, {})).front();
    Arena arena(device, MemoryKind::device, "parts", 1U << 16);
    Uploader uploader = must(Uploader::create(device));
    std::vector<BufferView> parts;
    for (int i = 0; i < 200; ++i) { // more sets than one descriptor pool holds
        parts.push_back(must(arena.allocate(32, "part")));
        must(uploader.write(parts.back(), bytes_of(counting(8, static_cast<std::uint32_t>(i)))));
    }
    must(uploader.finish());
    Recorder recorder = must(Recorder::create(device, "apart", false));
    for (const BufferView &part : parts) {
        const Use use{part, Access::read_write};
        must(recorder.launch({.pipeline = scale, .buffers = {&part, 1}, .uses = {&use, 1}, .label = "part"}));
    }
    const CommandBuffer commands = must(recorder.finish());
    CHECK(commands.launches() == 200);
    CHECK(commands.barriers() == 0);
    auto timeline = must(Timeline::create(device));
    const VkCommandBuffer handle = commands.handle();
    must(timeline->wait(must(timeline->submit({&handle, 1}))));
    if (!computes()) return;
    for (std::uint32_t i = 0; i < 200; i += 37) CHECK(words_of(must(download(device, parts[i]))).front() == i * 3 + 1);
}

TEST_CASE("copies and indirect launches are ordered after launches, whatever barriers came between") {
    Scope scope;
    const auto device = scope.device();
    auto pipelines = must(PipelineSet::create(device, {}));
    const PipelineDescription description = scale_description();
    const Pipeline *scale = must(pipelines->compile({&description, 1}, {})).front();
    // `counts` begins as {0, 0, 0}: scaled once it is {1, 1, 1}, the group counts of the launch on `y`.
    const Buffer counts = must(Buffer::create(device, MemoryKind::device, 12, "counts"));
    const Buffer x = must(Buffer::create(device, MemoryKind::device, 64, "x"));
    const Buffer y = must(Buffer::create(device, MemoryKind::device, 64, "y"));
    const Buffer z = must(Buffer::create(device, MemoryKind::device, 64, "z"));
    Uploader uploader = must(Uploader::create(device));
    for (const Buffer *buffer : {&counts, &x, &y, &z}) must(uploader.zero(buffer->view()));
    must(uploader.finish());

    Recorder recorder = must(Recorder::create(device, "indirect", false));
    const auto launch = [&](const Buffer &buffer, const BufferView &indirect) {
        const BufferView view = buffer.view();
        const Use use{view, Access::read_write};
        must(recorder.launch(
            {.pipeline = scale, .buffers = {&view, 1}, .indirect = indirect, .uses = {&use, 1}, .label = "scale"}));
    };
    launch(counts, {});
    launch(x, {});
    launch(x, {});                                     // a barrier for compute alone, which covers `counts` too
    launch(y, counts.view());                          // needs one that covers group counts
    must(recorder.copy(y.view(), z.view(), "y to z")); // needs one
    launch(z, {});                                     // needs one that covers copies
    const CommandBuffer commands = must(recorder.finish());
    CHECK(commands.barrier_before() == std::vector<bool>{false, false, true, true, true});
    CHECK(commands.barriers() == 4);
    auto timeline = must(Timeline::create(device));
    const VkCommandBuffer handle = commands.handle();
    must(timeline->wait(must(timeline->submit({&handle, 1}))));
    if (!computes()) return;
    CHECK(words_of(must(download(device, x.view()))).front() == 4);
    CHECK(words_of(must(download(device, y.view()))).front() == 1);
    CHECK(words_of(must(download(device, z.view()))).front() == 4);
}

TEST_CASE("a launch beyond the device's limits is refused by name") {
    Scope scope;
    const auto device = scope.device({.profile = "floor"});
    auto pipelines = must(PipelineSet::create(device, {}));
    const PipelineDescription description = scale_description();
    const Pipeline *scale = must(pipelines->compile({&description, 1}, {})).front();
    const Buffer x = must(Buffer::create(device, MemoryKind::device, 1024, "x"));
    Recorder recorder = must(Recorder::create(device, "refused", false));
    const auto refusal = [&](const LaunchDescription &launch) {
        const auto result = recorder.launch(launch);
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().status == Status::internal);
        CHECK(result.error().message.starts_with("launch key ("));
        return result.error().message;
    };
    const BufferView whole = x.view(), odd = x.view().slice(4, 4);
    BufferView huge = whole;
    huge.bytes = (128ULL << 20) + 1;
    const AddParams params{};
    CHECK(refusal({.label = "key"}).find("no pipeline") != std::string::npos);
    CHECK(refusal({.pipeline = scale, .label = "key"}).find("0 buffers") != std::string::npos);
    CHECK(refusal({.pipeline = scale, .buffers = {&odd, 1}, .label = "key"}).find("multiple of 256") !=
          std::string::npos);
    CHECK(refusal({.pipeline = scale, .buffers = {&huge, 1}, .label = "key"}).find("at most 134217728") !=
          std::string::npos);
    CHECK(refusal({.pipeline = scale, .buffers = {&whole, 1}, .groups = {65536, 1, 1}, .label = "key"})
              .find("65536 x 1 x 1 workgroups") != std::string::npos);
    CHECK(refusal({.pipeline = scale, .buffers = {&whole, 1}, .push_constants = params_of(params), .label = "key"})
              .find("8 bytes of push constants") != std::string::npos);
    const BufferView empty{};
    CHECK(refusal({.pipeline = scale, .buffers = {&empty, 1}, .label = "key"}).find("binding 0 is empty") !=
          std::string::npos);
    CHECK_FALSE(recorder.copy(whole, whole, "onto itself").ok());
}

TEST_CASE("timestamps grow from launch to launch, at every replay") {
    Scope scope;
    const auto device = scope.device();
    if (device->traits().timestamp_valid_bits == 0) return;
    auto pipelines = must(PipelineSet::create(device, {}));
    const PipelineDescription description = scale_description();
    const Pipeline *scale = must(pipelines->compile({&description, 1}, {})).front();
    const Buffer x = must(Buffer::create(device, MemoryKind::device, 4U << 20, "x"));
    auto timestamps = must(Timestamps::create(device, 4));
    Recorder recorder = must(Recorder::create(device, "timed", true));
    const BufferView view = x.view();
    const Use use{view, Access::read_write};
    recorder.timestamp(*timestamps, 0);
    for (std::uint32_t i = 1; i < 4; ++i) {
        must(recorder.launch(
            {.pipeline = scale, .buffers = {&view, 1}, .groups = {32768, 1, 1}, .uses = {&use, 1}, .label = "timed"}));
        recorder.timestamp(*timestamps, i);
    }
    const CommandBuffer commands = must(recorder.finish());
    auto timeline = must(Timeline::create(device));
    for (int round = 0; round < 2; ++round) {
        const VkCommandBuffer handle = commands.handle();
        must(timeline->wait(must(timeline->submit({&handle, 1}))));
        if (!computes()) continue;
        const auto times = must(timestamps->read_microseconds());
        REQUIRE(times.size() == 4);
        CHECK(times[0] == 0);
        for (std::size_t i = 1; i < 4; ++i) CHECK(times[i] > times[i - 1]);
        CHECK(times[3] < 60e6);
    }
}

TEST_CASE("without timestamps there are none") {
    Scope scope;
    const auto refused = Timestamps::create(scope.device({.profile = "floor"}), 2);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().status == Status::unsupported);
}

TEST_CASE("a recorder left unfinished, and a moved one, do no harm") {
    Scope scope;
    const auto device = scope.device();
    Recorder first = must(Recorder::create(device, "moved", false));
    Recorder second = std::move(first);
    CommandBuffer commands = must(second.finish());
    commands = must(must(Recorder::create(device, "other", true)).finish());
    Recorder unfinished = must(Recorder::create(device, "unfinished", false));
}
