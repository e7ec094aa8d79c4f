#include "runtime/gpu/pipeline_cache.h"

#include "tests/gpu/fixture.h"
#include "tests/support/temporary_folder.h"

#include <filesystem>
#include <fstream>

using namespace ff;
using namespace ff::gpu;
using namespace ff::gpu::testing;

namespace {

CacheIdentity identity_of(std::uint32_t device) {
    CacheIdentity out;
    out.vendor_id = 1;
    out.device_id = device;
    out.driver_version = 3;
    out.device_uuid = std::string(32, '4');
    return out;
}

std::vector<std::byte> data_of(const CacheIdentity &identity, std::size_t payload) {
    VkPipelineCacheHeaderVersionOne header{};
    header.headerSize = sizeof(header);
    header.headerVersion = VK_PIPELINE_CACHE_HEADER_VERSION_ONE;
    header.vendorID = identity.vendor_id;
    header.deviceID = identity.device_id;
    std::vector<std::byte> out(sizeof(header) + payload, std::byte{7});
    std::memcpy(out.data(), &header, sizeof(header));
    return out;
}

class Folder : public test::TemporaryFolder {
  public:
    using TemporaryFolder::TemporaryFolder;
    std::filesystem::path only_file() const {
        std::vector<std::filesystem::path> files;
        for (const auto &entry : std::filesystem::directory_iterator(path())) files.push_back(entry.path());
        REQUIRE(files.size() == 1);
        return files.front();
    }
};

} // namespace

TEST_CASE("a sealed cache opens for its device only") {
    const CacheIdentity identity = identity_of(2);
    const auto data = data_of(identity, 100);
    const auto file = seal_cache(identity, data);
    const auto opened = open_cache(identity, file);
    REQUIRE(opened.ok());
    CHECK(std::equal(opened->begin(), opened->end(), data.begin(), data.end()));
    CHECK_FALSE(open_cache(identity_of(3), file).ok());
    CHECK(identity.file_name() != identity_of(3).file_name());
    CacheIdentity newer = identity;
    newer.driver_version = 4;
    CHECK_FALSE(open_cache(newer, file).ok());
    CHECK_FALSE(open_cache(identity, seal_cache(identity, data_of(identity_of(3), 100))).ok());
    CHECK_FALSE(open_cache(identity, seal_cache(identity, std::span(data).first(10))).ok());
}

TEST_CASE("a damaged cache is refused at every byte and every length") {
    const CacheIdentity identity = identity_of(2);
    const auto file = seal_cache(identity, data_of(identity, 40));
    for (std::size_t i = 0; i < file.size(); ++i) {
        auto damaged = file;
        damaged[i] ^= std::byte{1};
        CHECK_FALSE(open_cache(identity, damaged).ok());
        CHECK_FALSE(open_cache(identity, std::span(file).first(i)).ok());
    }
}

TEST_CASE("pipelines are kept on disk: cold, warm, and after damage") {
    const Folder folder("pipelines");
    const PipelineDescription descriptions[] = {add_description(), scale_description()};
    std::vector<std::string> said;
    const PipelineOptions options{.cache_directory = folder.path(),
                                  .log =
                                      [&](LogLevel level, std::string_view message) {
                                          if (level >= LogLevel::warning) said.emplace_back(message);
                                      },
                                  .threads = 1};
    Scope scope;
    const auto device = scope.device();
    const auto start = [&] {
        auto set = must(PipelineSet::create(device, options));
        must(set->compile(descriptions, {}));
        must(set->save_cache());
        return set->statistics();
    };
    CHECK(start().cache_bytes_read == 0);                // cold
    if (!std::filesystem::exists(folder.path())) return; // a driver that keeps nothing, such as lavapipe 26.2
    const std::filesystem::path file = folder.only_file();
    const auto warm = start();
    INFO("said: " << (said.empty() ? "nothing" : said.back()));
    CHECK(warm.cache_bytes_read > 0);
    CHECK(warm.compiled == 2);
    CHECK(said.empty());

    { // one byte in the middle
        std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
        stream.seekp(static_cast<std::streamoff>(std::filesystem::file_size(file) / 2));
        stream.put('\x5a');
        stream.put('\xa5');
    }
    CHECK(start().cache_bytes_read == 0);
    CHECK(said.size() == 1);
    CHECK(start().cache_bytes_read > 0); // written anew

    std::filesystem::resize_file(file, std::filesystem::file_size(file) - 1);
    CHECK(start().cache_bytes_read == 0);
    std::filesystem::resize_file(file, 0);
    CHECK(start().cache_bytes_read == 0);
    folder.only_file(); // no temporary ones stay behind
}

TEST_CASE("a folder that cannot be made is told when saving, not before") {
    const Folder folder("blocked");
    { std::ofstream blocker(folder.path()); }
    Scope scope;
    const auto set = must(PipelineSet::create(scope.device(), {.cache_directory = folder.path() + "/cache"}));
    const auto saved = write_cache_file(folder.path() + "/cache", "file", std::vector<std::byte>(8));
    REQUIRE_FALSE(saved.ok());
    CHECK(saved.error().status == Status::io);
}
