#include "tests/gpu/fixture.h"

using namespace ff;
using namespace ff::gpu;
using namespace ff::gpu::testing;

namespace {

std::vector<std::byte> pattern(std::size_t count, unsigned seed) {
    std::vector<std::byte> out(count);
    for (std::size_t i = 0; i < count; ++i) out[i] = static_cast<std::byte>((i * 131 + seed + i / 251) & 0xffU);
    return out;
}

} // namespace

TEST_CASE("bytes come back as they went, in place and staged, in odd sizes") {
    for (const char *profile : kProfiles)
        for (const std::size_t bytes : {1U, 3U, 4097U, 100'003U}) { // the ring below holds 16 KiB
            CAPTURE(profile);
            CAPTURE(bytes);
            Scope scope;
            const auto device = scope.device({.profile = profile});
            const Buffer buffer = must(Buffer::create(device, MemoryKind::device, bytes + 64, "target"));
            Uploader uploader = must(Uploader::create(device, 16384));
            must(uploader.zero(buffer.view()));
            const auto data = pattern(bytes, 5);
            must(uploader.write(buffer.view().slice(17, bytes), data)); // an odd offset
            must(uploader.finish());
            const auto back = must(download(device, buffer.view()));
            REQUIRE(back.size() == bytes + 64);
            CHECK(std::memcmp(back.data() + 17, data.data(), bytes) == 0);
            for (std::size_t i = 0; i < 17; ++i) CHECK(back[i] == std::byte{0});
            for (std::size_t i = bytes + 17; i < bytes + 64; ++i) CHECK(back[i] == std::byte{0});
        }
}

TEST_CASE("pieces are whole rows, in order, and cover the target") {
    for (const char *profile : {"native", "staged"})
        for (const std::uint64_t row : {1U, 7U, 4096U, 5000U}) { // the last is longer than a slot of the ring
            CAPTURE(profile);
            CAPTURE(row);
            Scope scope;
            const auto device = scope.device({.profile = profile});
            const std::uint64_t bytes = 40'007;
            const Buffer buffer = must(Buffer::create(device, MemoryKind::device, bytes, "rows"));
            Uploader uploader = must(Uploader::create(device, 16384));
            const auto data = pattern(bytes, 9);
            std::uint64_t next = 0;
            std::uint32_t pieces = 0;
            must(uploader.write(buffer.view(), row, [&](std::span<std::byte> piece, std::uint64_t at) -> Result<void> {
                CHECK(at == next);
                if (at + piece.size() < bytes) CHECK(piece.size() % row == 0);
                std::memcpy(piece.data(), data.data() + at, piece.size());
                next = at + piece.size();
                ++pieces;
                return {};
            }));
            must(uploader.finish());
            CHECK(next == bytes);
            CHECK(pieces > 1);
            CHECK(must(download(device, buffer.view())) == data);
        }
}

TEST_CASE("what fill says stops the upload") {
    for (const char *profile : {"native", "staged"}) {
        Scope scope;
        const auto device = scope.device({.profile = profile});
        const Buffer buffer = must(Buffer::create(device, MemoryKind::device, 100'000, "stopped"));
        Uploader uploader = must(Uploader::create(device, 16384));
        int calls = 0;
        const auto result = uploader.write(buffer.view(), 4, [&](std::span<std::byte>, std::uint64_t) -> Result<void> {
            if (++calls == 3) return Error{Status::cancelled, "enough"};
            return {};
        });
        REQUIRE_FALSE(result.ok());
        CHECK(result.error().status == Status::cancelled);
        CHECK(calls == 3);
        CHECK_FALSE(uploader.write(buffer.view(), pattern(5, 1)).ok()); // not the target's size
        must(uploader.write(buffer.view(), pattern(100'000, 1)));       // and it can still be used
    }                                                                   // destroyed without finish()
}

TEST_CASE("zero leaves its neighbours alone") {
    for (const char *profile : {"native", "staged"})
        for (const auto &[from, count] : {std::pair{0U, 64U}, {1U, 1U}, {1U, 2U}, {3U, 9U}, {4U, 7U}, {5U, 3U}}) {
            CAPTURE(profile);
            CAPTURE(from);
            CAPTURE(count);
            Scope scope;
            const auto device = scope.device({.profile = profile});
            const Buffer buffer = must(Buffer::create(device, MemoryKind::device, 64, "ragged"));
            Uploader uploader = must(Uploader::create(device));
            must(uploader.write(buffer.view(), std::vector<std::byte>(64, std::byte{0xff})));
            must(uploader.zero(buffer.view().slice(from, count)));
            must(uploader.finish());
            const auto back = must(download(device, buffer.view()));
            for (unsigned i = 0; i < 64; ++i)
                CHECK(back[i] == (i >= from && i < from + count ? std::byte{0} : std::byte{0xff}));
        }
}

TEST_CASE("what is repeated fills the target, and nothing behind it") {
    for (const char *profile : {"native", "staged"})
        for (const auto &[written, count] : {std::pair{1U, 1U}, {1U, 64U}, {12U, 60U}, {12U, 13U}, {20U, 63U}}) {
            CAPTURE(profile);
            CAPTURE(written);
            CAPTURE(count);
            Scope scope;
            const auto device = scope.device({.profile = profile});
            const Buffer buffer = must(Buffer::create(device, MemoryKind::device, 80, "repeated"));
            Uploader uploader = must(Uploader::create(device));
            const std::vector<std::byte> all = pattern(80, 3);
            must(uploader.write(buffer.view(), all));
            must(uploader.repeat(buffer.view().slice(8, count), written));
            CHECK_FALSE(uploader.repeat(buffer.view().slice(8, count), 0).ok());
            must(uploader.finish());
            const auto back = must(download(device, buffer.view()));
            for (unsigned i = 0; i < 80; ++i)
                CHECK(back[i] == (i < 8 || i >= 8 + count ? all[i] : all[8 + (i - 8) % written]));
        }
}

TEST_CASE("a later upload overtakes an earlier one in the same place, never the other way") {
    Scope scope;
    const auto device = scope.device({.profile = "staged"});
    const Buffer buffer = must(Buffer::create(device, MemoryKind::device, 50'000, "again"));
    Uploader uploader = must(Uploader::create(device, 16384));
    for (unsigned round = 0; round < 5; ++round) must(uploader.write(buffer.view(), pattern(50'000, round)));
    Uploader moved = std::move(uploader);
    must(moved.finish());
    CHECK(must(download(device, buffer.view())) == pattern(50'000, 4));
}
