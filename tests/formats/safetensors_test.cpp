#include "tests/formats/builders/safetensors_builder.h"

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

TEST_CASE("safetensors: names, types, shapes, values, in file order") {
    const Bytes halves = words({0x3C00, 0xC000, 0x3800}); // 1, -2, 0.5
    const Bytes brains = words({0x3F80, 0xC000});         // 1, -2
    const Bytes file = safetensors_file({f32_tensor("z", {2, 2}, {1, 2, 3, 4}),
                                         {{"a", DType::f16, {3}}, halves},
                                         {{"m", DType::bf16, {1, 1, 2}}, brains},
                                         f32_tensor("scalar", {}, {7}),
                                         f32_tensor("empty", {0, 4}, {})});
    const auto source = opened(file);
    CHECK(source->container() == "safetensors");
    CHECK(source->path() == "x");
    REQUIRE(source->tensors().size() == 5);
    CHECK(source->tensors()[0].name == "z");
    CHECK(source->tensors()[1].name == "a");
    CHECK(source->tensors()[1].dtype == DType::f16);
    CHECK(source->tensors()[2].shape == std::vector<std::uint64_t>{1, 1, 2});
    CHECK(source->tensors()[3].shape.empty());
    CHECK(values_of(*source, "z") == std::vector<float>{1, 2, 3, 4});
    CHECK(values_of(*source, "a") == std::vector<float>{1, -2, 0.5});
    CHECK(values_of(*source, "m") == std::vector<float>{1, -2});
    CHECK(values_of(*source, "scalar") == std::vector<float>{7});
    CHECK(values_of(*source, "empty").empty());
    CHECK(source->metadata().empty());
}

TEST_CASE("safetensors: tensors are views, not copies") {
    const Bytes file = safetensors_file({f32_tensor("t", {4}, {1, 2, 3, 4})});
    const auto source = opened(file);
    const auto read = source->read(0);
    REQUIRE(read.ok());
    CHECK(read->is_view());
    CHECK(read->bytes().data() == file.data() + file.size() - 16);
}

TEST_CASE("safetensors: metadata is kept as text") {
    const Bytes file =
        safetensors_file({f32_tensor("t", {1}, {1})}, R"({"format":"pt","vocab":"bytes-256","é":"\u00e9"})");
    const auto source = opened(file);
    CHECK(source->metadata() ==
          std::map<std::string, std::string>{{"format", "pt"}, {"vocab", "bytes-256"}, {"é", "é"}});
}

TEST_CASE("safetensors: the header's order need not be the data's") {
    const Bytes file = safetensors_file(R"({"b":{"data_offsets":[4,8],"shape":[1],"dtype":"F32"},)"
                                        R"("a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
                                        8);
    const auto source = opened(file);
    CHECK(source->tensors()[0].name == "b");
    CHECK(values_of(*source, "a") == std::vector<float>{0});
}
