// Which container a file is, told by its first bytes.
#include "tests/formats/builders/pth_builder.h"

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

TEST_CASE("the container is told by content, not by name") {
    const TemporaryPath file; // no suffix
    SUBCASE("safetensors") {
        file.write(safetensors_file({f32_tensor("t", {2}, {1, 2})}));
        const auto source = open_tensor_source(file.path());
        REQUIRE(source.ok());
        CHECK((*source)->container() == "safetensors");
        CHECK((*source)->path() == file.path());
        CHECK(values_of(**source, "t") == std::vector<float>{1, 2});
    }
    SUBCASE("pth") {
        file.write(pth_file({f32_tensor("t", {2}, {1, 2})}));
        const auto source = open_tensor_source(file.path());
        REQUIRE(source.ok());
        CHECK((*source)->container() == "pth");
        CHECK((*source)->path() == file.path());
        CHECK(values_of(**source, "t") == std::vector<float>{1, 2});
    }
}

TEST_CASE("other files are named for what they are") {
    const auto check = [](std::string_view start, std::initializer_list<std::string_view> parts) {
        Bytes file = bytes_of(start);
        file.resize(600, std::byte{'.'});
        check_error(refusal(file), "x", Status::unsupported, parts);
    };
    check("GGUF....", {"GGUF", "version"});
    check("fmgg....", {"rwkv.cpp", "version"});
    check("\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19", {"torch before 1.6", "save it again"});
    check("version https://git-lfs.github.com/spec/v1", {"LFS"});
    check("<!DOCTYPE html>", {"web page"});
    check("hello, this is no model", {"no known model container", ".pth", ".safetensors"});
    check(std::string(257, 'a') + "ustar", {"torch before 1.6"});
}

TEST_CASE("nothing is no model") {
    check_error(refusal({}), "x", Status::model_file, {"empty"});
    for (std::size_t size = 1; size < 20; ++size) {
        CAPTURE(size);
        check_sentence(refusal(Bytes(size, std::byte{0})), "x");
        check_sentence(refusal(Bytes(size, std::byte{0xFF})), "x");
        check_sentence(refusal(Bytes(size, std::byte{'{'})), "x");
    }
}

TEST_CASE("a hostile path does not break the message") {
    const Error error = error_of(open_tensor_source("a\nb", bytes_of("nonsense")));
    check_sentence(error, "a\\x0ab: ");
}

TEST_CASE("a tensor that is not there is an error, not a crash") {
    const Bytes safetensors = safetensors_file({f32_tensor("t", {2}, {1, 2})}),
                pth = pth_file({f32_tensor("t", {2}, {1, 2})});
    for (const Bytes *file : {&safetensors, &pth})
        check_error(error_of(opened(*file)->read(1)), "x", Status::argument, {"tensor 1"});
}
