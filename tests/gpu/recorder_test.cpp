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
