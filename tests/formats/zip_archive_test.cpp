#include "loader/formats/zip_archive.h"
#include "tests/formats/builders/zip_builder.h"

#include <cstring>
#include <string>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

std::unique_ptr<ZipArchive> archive_of(const Bytes &bytes) {
    auto archive = ZipArchive::open("x", bytes);
    REQUIRE_MESSAGE(archive.ok(), (archive.ok() ? "" : archive.error().message));
    return std::move(archive).value();
}

void check_refused(const Bytes &bytes, std::initializer_list<std::string_view> parts) {
    check_error(error_of(ZipArchive::open("x", bytes)), "x", Status::model_file, parts);
}

const Bytes kText = bytes_of("the quick brown fox, the quick brown fox, the quick brown fox");

} // namespace

TEST_CASE("zip: entries of every make") {
    for (const bool deflate : {false, true})
        for (const bool sizes_follow : {false, true})
            for (const bool zip64 : {false, true})
                for (const bool zip64_end : {false, true}) {
                    CAPTURE(deflate);
                    CAPTURE(sizes_follow);
                    CAPTURE(zip64);
                    CAPTURE(zip64_end);
                    ZipBuilder zip;
                    zip.add("a/first", bytes_of("x"), {.padding = 51});
                    zip.add("a/text", kText,
                            {.deflate = deflate, .sizes_follow = sizes_follow, .zip64 = zip64, .padding = 7});
                    zip.add("a/empty", {});
                    const Bytes file = zip.finish(zip64_end);
                    const auto archive = archive_of(file);
                    REQUIRE(archive->entries().size() == 3);
                    const auto index = archive->find("a/text");
                    REQUIRE(index == std::optional<std::size_t>(1));
                    CHECK(archive->entries()[1].size == kText.size());
                    const auto read = archive->read(1, 1000);
                    REQUIRE(read.ok());
                    CHECK(*read == kText);
                    const auto view = archive->view(1);
                    CHECK(view.has_value() == !deflate);
                    if (view) CHECK(Bytes(view->begin(), view->end()) == kText);
                    CHECK(archive->read(2, 0)->empty());
                    CHECK_FALSE(archive->find("text").has_value());
                }
}

TEST_CASE("zip: cut at every byte") {
    for (const bool zip64_end : {false, true}) {
        const Bytes file =
            ZipBuilder().add("a", kText).add("b", kText, {.deflate = true, .sizes_follow = true}).finish(zip64_end);
        for (std::size_t size = 0; size < file.size(); ++size) {
            CAPTURE(size);
            const Bytes cut(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size));
            check_sentence(error_of(ZipArchive::open("x", cut)), "x");
        }
    }
}

TEST_CASE("zip: every byte changed") {
    for (const bool zip64_end : {false, true}) {
        const Bytes file = ZipBuilder()
                               .add("a", kText, {.zip64 = true, .padding = 9})
                               .add("b", kText, {.deflate = true, .sizes_follow = true})
                               .finish(zip64_end);
        for (std::size_t at = 0; at < file.size(); ++at)
            for (const unsigned bits : {0x01u, 0x80u, 0xFFu}) {
                CAPTURE(at);
                Bytes changed = file;
                changed[at] ^= static_cast<std::byte>(bits);
                const auto archive = ZipArchive::open("x", changed);
                if (!archive.ok()) {
                    check_sentence(archive.error(), "x");
                    continue;
                }
                for (std::size_t i = 0; i < (*archive)->entries().size(); ++i) {
                    const auto read = (*archive)->read(i, 1000);
                    if (read.ok())
                        CHECK(read->size() == (*archive)->entries()[i].size);
                    else
                        check_sentence(read.error(), "x");
                }
            }
    }
}

TEST_CASE("zip: two headers that disagree") {
    const auto with = [](const ZipOptions &options) {
        return ZipBuilder().add("first", kText).add("b", kText, options).finish();
    };
    check_refused(with({.local_name = "c"}), {"both b and c"});
    check_refused(with({.claimed_offset = 3}), {"no entry begins"});
    check_refused(with({.claimed_offset = 0xFFFFFFF0}), {"no entry begins"});
    check_refused(with({.claimed_offset = 0}), {"both b and first"});
    check_refused(with({.zip64 = true, .claimed_offset = 1ull << 63}), {"no entry begins"});
    check_refused(with({.zip64 = true, .claimed_size = 1ull << 40, .claimed_compressed_size = 1ull << 40}),
                  {"run past"});
    check_refused(with({.zip64 = true, .claimed_size = UINT64_MAX, .claimed_compressed_size = UINT64_MAX}),
                  {"run past"});
    check_refused(with({.claimed_size = 10}), {"stores entry b of 10 bytes"});
}

TEST_CASE("zip: names and bytes belong to one entry") {
    check_refused(ZipBuilder().add("a", kText).add("a", kText).finish(), {"two entries called a"});
    // A second entry inside the first one's data, under the first one's name space: the way of the overlapping bomb.
    ZipBuilder inner;
    inner.add("b", kText);
    const Bytes hidden = inner.finish();
    ZipBuilder outer;
    outer.add("a", hidden);
    const std::uint64_t inside = 30 + 1; // behind a's local header and name
    outer.add("b", kText, {.claimed_offset = inside});
    check_refused(outer.finish(), {"overlap"});
}

TEST_CASE("zip: end records that lie") {
    const Bytes file = ZipBuilder().add("a", kText).finish();
    const auto changed = [&](std::size_t from_end, std::uint32_t value, std::size_t size) {
        Bytes copy = file;
        std::memcpy(copy.data() + copy.size() - from_end, &value, size);
        return copy;
    };
    check_error(error_of(ZipArchive::open("x", changed(12, 2, 2))), "x", Status::unsupported, {"one part of several"});
    check_refused(changed(10, 5, 4), {"1 entries in a directory of 5 bytes"});
    check_refused(changed(10, 0xFFFFFFF0, 4), {"past its end"});
    check_refused(changed(6, 0xFFFFFFF0, 4), {"past its end"});
    check_refused(changed(6, 0, 4), {"no directory entry"});
    check_refused(changed(2, 5, 2), {"no end record"});
}

TEST_CASE("zip: bombs") {
    const Bytes zeros(64 << 20, std::byte{0});
    check_refused(ZipBuilder().add("a", zeros, {.deflate = true}).finish(), {"inflate", "exhaust memory"});
    // A lie about the size costs no memory.
    const Bytes small(1000, std::byte{0});
    const auto claims = [&](std::uint64_t size) {
        return ZipBuilder().add("a", small, {.deflate = true, .sizes_follow = true, .claimed_size = size}).finish();
    };
    const Bytes huge = claims(4'000'000'000);
    check_refused(huge, {"exhaust memory"});
    const Bytes more = claims(100'000);
    check_error(error_of(archive_of(more)->read(0, 1 << 20)), "x", Status::model_file, {"more than deflate can"});
    const Bytes bit_more = claims(1001);
    check_error(error_of(archive_of(bit_more)->read(0, 1 << 20)), "x", Status::model_file, {"entry a"});
    const Bytes less = claims(999);
    check_error(error_of(archive_of(less)->read(0, 1 << 20)), "x", Status::model_file, {"entry a"});
    check_error(error_of(archive_of(less)->read(0, 998)), "x", Status::model_file, {"claims 999 bytes", "at most 998"});
}

TEST_CASE("zip: content that is not what was written") {
    const Bytes wrong = ZipBuilder().add("a", kText, {.claimed_crc = 7}).finish();
    check_error(error_of(archive_of(wrong)->read(0, 1000)), "x", Status::model_file, {"entry a", "CRC"});
    const Bytes method = ZipBuilder().add("a", kText, {.method = 12}).finish();
    check_error(error_of(archive_of(method)->read(0, 1000)), "x", Status::unsupported, {"compression method 12"});
    CHECK_FALSE(archive_of(method)->view(0).has_value());
    const Bytes locked = ZipBuilder().add("a", kText, {.flags = 1}).finish();
    check_error(error_of(archive_of(locked)->read(0, 1000)), "x", Status::unsupported, {"encrypted"});
    CHECK_FALSE(archive_of(locked)->view(0).has_value());
}
