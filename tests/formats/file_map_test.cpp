#include "loader/file_map.h"
#include "tests/formats/support.h"

#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

TEST_CASE("a file's bytes, while the map lives") {
    const TemporaryPath file;
    file.write(bytes_of("firefinch"));
    auto map = FileMap::open(file.path());
    REQUIRE(map.ok());
    FileMap moved = std::move(map).value();
    FileMap again = std::move(moved);
    CHECK(again.text() == "firefinch");
    CHECK(Bytes(again.bytes().begin(), again.bytes().end()) == bytes_of("firefinch"));
}

TEST_CASE("files that cannot be mapped say why") {
    const TemporaryPath place;
    SUBCASE("missing") {
        check_error(error_of(FileMap::open(place.path())), place.path(), Status::io, {"No such file"});
        check_error(error_of(open_tensor_source(place.path())), place.path(), Status::io, {"No such file"});
    }
    SUBCASE("a directory") {
        std::filesystem::create_directory(place.path());
        check_error(error_of(open_tensor_source(place.path())), place.path(), Status::io, {"directory"});
    }
    SUBCASE("empty") {
        place.write({});
        check_error(error_of(open_tensor_source(place.path())), place.path(), Status::io, {"empty", "0 bytes"});
    }
    SUBCASE("no permission") {
        place.write(bytes_of("x"));
        REQUIRE(::chmod(place.path().c_str(), 0) == 0);
        if (::geteuid() == 0)
            MESSAGE("SKIPPED: root may read every file");
        else
            check_error(error_of(open_tensor_source(place.path())), place.path(), Status::io, {"Permission denied"});
    }
    SUBCASE("a pipe is refused, not waited for") {
        REQUIRE(::mkfifo(place.path().c_str(), 0600) == 0);
        check_error(error_of(open_tensor_source(place.path())), place.path(), Status::io, {"pipe"});
    }
    SUBCASE("no name") {
        check_error(error_of(open_tensor_source("")), "no file", Status::io, {"empty"});
    }
    SUBCASE("a name too long") {
        const std::string name(10000, 'n');
        check_error(error_of(open_tensor_source(name)), "nnn", Status::io, {"name too long"});
    }
}
