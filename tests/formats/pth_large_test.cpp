// Real checkpoints are larger than 4 GB, where a zip's 32-bit fields end. The file is sparse: it takes no disk.
#include "tests/formats/builders/pth_builder.h"

#include <filesystem>
#include <fstream>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

TEST_CASE("pth: entries beyond 4 GB") {
    constexpr std::uint64_t kGap = 5ull << 30;
    ZipBuilder zip;
    zip.add("archive/version", bytes_of("3\n"));
    const std::size_t head = static_cast<std::size_t>(zip.last_offset()) + 30 + 15 + 2; // header, name, data
    zip.skip(kGap);
    zip.add("archive/data.pkl", small_pickle(), {.sizes_follow = true, .zip64 = true});
    zip.add("archive/data/0", small_storage(), {.zip64 = true});
    const Bytes parts = zip.finish(true);

    const TemporaryPath file;
    file.write(std::span(parts).first(head));
    std::error_code error;
    std::filesystem::resize_file(file.path(), head + kGap, error);
    const auto space = std::filesystem::space(std::filesystem::path(file.path()).parent_path());
    if (error || space.available < (1 << 20)) {
        MESSAGE("SKIPPED: the temporary folder takes no sparse file of 5 GB");
        return;
    }
    std::ofstream out(file.path(), std::ios::binary | std::ios::app);
    out.write(reinterpret_cast<const char *>(parts.data() + head), static_cast<std::streamsize>(parts.size() - head));
    out.close();
    REQUIRE(std::filesystem::file_size(file.path()) == parts.size() + kGap);

    const auto source = open_tensor_source(file.path());
    REQUIRE_MESSAGE(source.ok(), (source.ok() ? "" : source.error().message));
    CHECK(values_of(**source, "t") == std::vector<float>{1, 2, 3, 4});
    CHECK((*source)->read(0)->is_view());
}
