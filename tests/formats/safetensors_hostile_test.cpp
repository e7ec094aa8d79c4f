#include "tests/formats/builders/safetensors_builder.h"

#include <fmt/format.h>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

// A header of one tensor "t" over 8 bytes of data.
Bytes one(std::string_view dtype, std::string_view shape, std::string_view offsets) {
    return safetensors_file(
        fmt::format(R"({{"t":{{"dtype":{},"shape":{},"data_offsets":{}}}}})", dtype, shape, offsets), 8);
}

void check_one(std::string_view dtype, std::string_view shape, std::string_view offsets,
               std::initializer_list<std::string_view> parts, Status status = Status::model_file) {
    CAPTURE(dtype);
    CAPTURE(shape);
    CAPTURE(offsets);
    check_error(refusal(one(dtype, shape, offsets)), "x", status, parts);
}

void check_header(std::string_view header, std::initializer_list<std::string_view> parts, std::size_t data = 8) {
    CAPTURE(header);
    check_error(refusal(safetensors_file(header, data)), "x", Status::model_file, parts);
}

} // namespace

TEST_CASE("safetensors: cut at every byte") {
    const Bytes file =
        safetensors_file({f32_tensor("a", {2}, {1, 2}), f32_tensor("b", {3}, {1, 2, 3})}, R"({"k":"v"})");
    REQUIRE(opened(file)->tensors().size() == 2);
    for (std::size_t size = 0; size < file.size(); ++size) {
        CAPTURE(size);
        check_sentence(refusal(Bytes(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(size))), "x");
    }
    Bytes longer = file;
    longer.push_back(std::byte{0});
    check_error(refusal(longer), "x", Status::model_file, {"end at byte 20 of 21"});
}

TEST_CASE("safetensors: every byte of the header changed") {
    const Bytes file =
        safetensors_file({f32_tensor("a", {2}, {1, 2}), f32_tensor("b", {3}, {1, 2, 3})}, R"({"k":"v"})");
    for (std::size_t at = 0; at < file.size() - 20; ++at)
        for (const unsigned bits : {0x01u, 0x20u, 0x80u, 0xFFu}) {
            Bytes changed = file;
            changed[at] ^= static_cast<std::byte>(bits);
            const auto source = open_tensor_source("x", changed); // some changes make another valid file
            if (!source.ok()) {
                check_sentence(source.error(), "x");
                continue;
            }
            for (std::size_t i = 0; i < (*source)->tensors().size(); ++i)
                CHECK((*source)->read(i)->bytes().size() == (*source)->tensors()[i].bytes());
        }
}

TEST_CASE("safetensors: the header's length") {
    for (const std::uint64_t length : {9ull, 1000ull, 100'000'000ull, 100'000'001ull, (1ull << 40) - 1}) {
        Bytes file;
        append_le(file, length);
        append(file, bytes_of("{      }"));
        CAPTURE(length);
        check_error(refusal(file), "x", Status::model_file, {"header claims"});
    }
    Bytes zero(16, std::byte{0});
    check_sentence(refusal(zero), "x");
    zero[8] = std::byte{'{'};
    check_error(refusal(zero), "x", Status::model_file, {"JSON"});
}

TEST_CASE("safetensors: shapes and offsets that lie") {
    check_one("\"F32\"", "[2]", "[0,16]", {"tensor t", "[2]", "0 to 16"});
    check_one("\"F32\"", "[4]", "[0,16]", {"tensor t", "16", "8 bytes of data", "cut short"});
    check_one("\"F32\"", "[2]", "[18446744073709551608,18446744073709551615]", {"tensor t"});
    check_one("\"F32\"", "[2]", "[18446744073709551607,18446744073709551615]", {"tensor t"});
    check_one("\"F32\"", "[2]", "[8,0]", {"tensor t", "data_offsets"});
    check_one("\"F32\"", "[2]", "[0]", {"tensor t", "data_offsets"});
    check_one("\"F32\"", "[2]", "[0,8,8]", {"tensor t", "data_offsets"});
    check_one("\"F32\"", "[3]", "[0,8]", {"tensor t", "[3] f32"});
    check_one("\"F32\"", "[4611686018427387906]", "[0,8]", {"tensor t"});           // times 4 wraps to 8
    check_one("\"F32\"", "[9223372036854775808,2,2]", "[0,8]", {"tensor t"});       // product wraps to 0
    check_one("\"F32\"", "[18446744073709551616]", "[0,8]", {"tensor t", "shape"}); // not an integer any more
    check_one("\"F32\"", "[-2]", "[0,8]", {"tensor t", "shape", "-2"});
    check_one("\"F32\"", "[2.0]", "[0,8]", {"tensor t", "shape", "2.0"});
    check_one("\"F32\"", "[1e1]", "[0,8]", {"tensor t", "shape"});
    check_one("\"F32\"", "[NaN]", "[0,8]", {"JSON"});
    check_one("\"F32\"", "[Infinity]", "[0,8]", {"JSON"});
    check_one("\"F32\"", "[1e999]", "[0,8]", {"safetensors header"});
    check_one("\"F32\"", "[null]", "[0,8]", {"tensor t", "shape", "null"});
    check_one("\"F32\"", "[\"2\"]", "[0,8]", {"tensor t", "shape"});
    check_one("\"F32\"", "[[2]]", "[0,8]", {"tensor t", "shape"});
    check_one("\"F32\"", "2", "[0,8]", {"tensor t", "shape", "expected a list"});
    check_one("\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]", {"tensor t", "axes"});
    check_one("\"F32\"", "[2]", "{}", {"tensor t", "data_offsets"});
    check_one("7", "[2]", "[0,8]", {"tensor t", "dtype"});
}

TEST_CASE("safetensors: types that are not read") {
    for (const std::string_view dtype : {"F64", "I64", "I8", "U8", "BOOL", "F8_E4M3", "f32", "", "\\u000a"}) {
        CAPTURE(dtype);
        check_error(refusal(one(fmt::format("\"{}\"", dtype), "[1]", "[0,8]")), "x", Status::unsupported,
                    {"tensor t", dtype == "\\u000a" ? "\\x0a" : dtype, "F32, F16 or BF16"});
    }
}

TEST_CASE("safetensors: tensors that overlap or leave gaps") {
    const auto two = [](std::string_view first, std::string_view second) {
        return fmt::format(R"({{"a":{{"dtype":"F32","shape":[1],"data_offsets":{}}},"b":{{"dtype":"F32","shape":[1],)"
                           R"("data_offsets":{}}}}})",
                           first, second);
    };
    check_header(two("[0,4]", "[0,4]"), {"overlap"});
    check_header(two("[0,4]", "[3,7]"), {"overlap", "byte 3"});
    check_header(two("[0,4]", "[5,9]"), {"gap"}, 9);
    check_header(two("[0,4]", "[4,8]"), {"end at byte 8 of 12"}, 12);
    check_header(two("[4,8]", "[4,8]"), {"gap"});
}

TEST_CASE("safetensors: headers that are not one") {
    const std::string_view t = R"("t":{"dtype":"F32","shape":[2],"data_offsets":[0,8]})";
    check_header("{}", {"no tensors"}, 0);
    check_header("{ ", {"JSON"});
    check_header(fmt::format("{{{}", t), {"JSON"});
    check_header(fmt::format("{{{}}}}}", t), {"JSON"});
    check_header(fmt::format("{{{}}} x", t), {"JSON"});
    check_header(fmt::format("{{{},{}}}", t, t), {"t twice"});
    check_header(R"({"t":{"dtype":"F32","dtype":"F32","shape":[2],"data_offsets":[0,8]}})", {"dtype twice"});
    check_header(R"({"t":{"shape":[2],"data_offsets":[0,8]}})", {"no dtype"});
    check_header(R"({"t":{"dtype":"F32","data_offsets":[0,8]}})", {"no shape"});
    check_header(R"({"t":{"dtype":"F32","shape":[2]}})", {"no data_offsets"});
    check_header(R"({"t":{}})", {"no dtype"});
    check_header(R"({"t":{"dtype":"F32","shape":[2],"data_offsets":[0,8],"extra":1}})", {"unknown field extra"});
    check_header(R"({"t":7})", {"describes t by 7"});
    check_header(R"({"t":[7]})", {"describes t by a list"});
    check_header(R"({"t":null})", {"describes t by null"});
    check_header(R"({"__metadata__":{"a":7}})", {"metadata a as 7"});
    check_header(R"({"__metadata__":{"a":{}}})", {"metadata a as an object"});
    check_header(R"({"__metadata__":{"a":"1","a":"2"}})", {"metadata a twice"});
    check_header(R"({"__metadata__":"a"})", {"__metadata__"});
    check_header("{\"\xff\":{}}", {"JSON"});
    check_header(std::string(2000, '{'), {"JSON"});
    check_header("{\"a\":" + std::string(100000, '['), {"a list"});
}
