// rwkv.cpp files that are cut, changed or lie, and those with block types.
#include "tests/formats/builders/ggml_bin_builder.h"
#include "tests/formats/quant_vectors.h"

#include <cmath>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

BinRow floats(std::string name, std::vector<std::uint32_t> dimensions, const std::vector<float> &values) {
    return {std::move(name), 0, std::move(dimensions), bytes_of(values)};
}

std::vector<BinRow> small() { // version 7 by its r_k
    return {floats("blocks.0.att.r_k", {2, 2}, {1, 2, 3, 4}), floats("blocks.0.att.w1", {3, 2}, {1, 2, 3, 4, 5, 6}),
            floats("blocks.0.att.x_rwkvag", {1, 1, 6}, {1, 2, 3, 4, 5, 6})};
}

void check_refused(const std::vector<BinRow> &rows, std::initializer_list<std::string_view> parts,
                   Status status = Status::model_file) {
    check_error(refusal(ggml_bin_file(rows)), "x", status, parts);
}

} // namespace

TEST_CASE("rwkv.cpp: cut at every byte") {
    const Bytes file = ggml_bin_file(small());
    REQUIRE(opened(file)->tensors().size() == 8);
    std::size_t opens = 0;
    for (std::size_t size = 0; size < file.size(); ++size) {
        const auto source = open_tensor_source("x", std::span(file).first(size));
        if (source.ok())
            ++opens; // between two tensors: the format has no count of them, describe() misses the others
        else
            check_sentence(source.error(), "x");
    }
    CHECK(opens == 2);
}

TEST_CASE("rwkv.cpp: every byte changed") {
    const Bytes file = ggml_bin_file(small());
    for (std::size_t at = 0; at < file.size(); ++at)
        for (const unsigned bits : {0x01u, 0x02u, 0x10u, 0x80u, 0xFFu}) {
            Bytes changed = file;
            changed[at] ^= static_cast<std::byte>(bits);
            const auto source = open_tensor_source("x", changed);
            if (!source.ok()) {
                check_sentence(source.error(), "x");
                continue;
            }
            for (std::size_t i = 0; i < (*source)->tensors().size(); ++i) {
                const auto read = (*source)->read(i);
                if (read.ok())
                    CHECK(read->bytes().size() == (*source)->tensors()[i].bytes());
                else
                    check_sentence(read.error(), "x");
            }
        }
}

TEST_CASE("rwkv.cpp: tensors that no file can hold") {
    check_refused({floats("t", {}, {})}, {"byte 24", "0 axes"});
    check_refused({floats("t", {1, 1, 1, 1, 1}, {1})}, {"byte 24", "5 axes"});
    check_refused({floats("", {1}, {1})}, {"byte 24", "name of 0 bytes"});
    check_refused({floats("t", {0}, {})}, {"tensor t", "[0]"});
    check_refused({floats("t", {0xFFFFFFFF, 0xFFFFFFFF, 0xFFFFFFFF}, {})}, {"tensor t"});
    check_refused({floats("t", {2}, {1})}, {"tensor t", "cut short"});
    check_refused({floats("t", {1}, {1}), floats("t", {1}, {1})}, {"tensor t", "twice"});
    check_refused({{"t", 5, {32}, Bytes(40)}}, {"tensor t", "Q4_2"}, Status::unsupported);
    check_refused({{"t", 77, {32}, Bytes(40)}}, {"tensor t", "77"}, Status::unsupported);
    check_refused({{"t", 9, {16, 2}, Bytes(34)}}, {"tensor t", "q8_0"});
    check_refused({floats("blocks.0.att.r_k", {1}, {1}), floats("blocks.0.att.x_rwkvag", {1, 1, 5}, {1, 2, 3, 4, 5})},
                  {"x_rwkvag", "[6, 1, width]"});
    check_refused({floats("blocks.0.att.r_k", {1}, {1}), floats("a.x_r", {1}, {1}),
                   floats("a.x_rwkvag", {1, 1, 6}, {1, 2, 3, 4, 5, 6})},
                  {"a.x_r", "another one"});
    check_error(refusal(ggml_bin_file(small(), 99)), "x", Status::unsupported, {"version 99"});
    check_error(refusal(ggml_bin_file({})), "x", Status::model_file, {"no tensors"});
}

TEST_CASE("rwkv.cpp: every data type, as a view") {
    std::vector<BinRow> rows = {floats("f", {2}, {1, -2}), {"h", 1, {2}, words({0x3C00, 0xC000})}};
    std::vector<std::string> names;
    for (const BlockVector &vector : kBlockVectors) {
        const std::uint32_t type = vector.dtype == DType::q8_0   ? 9
                                   : vector.dtype == DType::q4_0 ? 2
                                   : vector.dtype == DType::q4_1 ? 3
                                   : vector.dtype == DType::q5_0 ? 7
                                                                 : 8;
        Bytes bytes;
        for (std::size_t i = 0; i < vector.hex.size(); i += 2)
            bytes.push_back(static_cast<std::byte>(std::stoi(std::string(vector.hex.substr(i, 2)), nullptr, 16)));
        rows.push_back({std::string(name_of(vector.dtype)), type, {32, 1}, bytes});
    }
    const Bytes file = ggml_bin_file(rows);
    const auto source = opened(file);
    CHECK(values_of(*source, "f") == std::vector<float>{1, -2});
    CHECK(values_of(*source, "h") == std::vector<float>{1, -2});
    for (const BlockVector &vector : kBlockVectors) {
        const std::vector<float> values = values_of(*source, name_of(vector.dtype));
        for (std::size_t i = 0; i < 32; ++i) CHECK(values[i] == doctest::Approx(vector.values[i]).epsilon(1e-6));
    }
    for (std::size_t i = 0; i < rows.size(); ++i) CHECK(source->read(i)->is_view());
    check_error(refusal(ggml_bin_file(rows, 100)), "x", Status::unsupported, {"version 100", "block layouts"});
    rows.resize(2);
    CHECK(opened(ggml_bin_file(rows, 100))->tensors().size() == 2);
}

TEST_CASE("rwkv.cpp: a transposed matrix of blocks becomes f32") {
    std::vector<BinRow> rows = small();
    rows[1] = {"blocks.0.att.w1", 9, {32, 2}, Bytes(68, std::byte{1})};
    const Bytes file = ggml_bin_file(rows);
    const auto source = opened(file);
    const TensorInfo &info = source->tensors()[1];
    CHECK(info.dtype == DType::f32);
    CHECK(info.shape == std::vector<std::uint64_t>{32, 2});
    CHECK(values_of(*source, info.name).size() == 64);
}

TEST_CASE("rwkv.cpp: decays at the end of their range, and beyond") {
    const auto five = [](std::vector<float> decay) {
        return ggml_bin_file(
            {floats("blocks.0.att.ln_x.weight", {1}, {1}),
             floats("blocks.0.att.time_decay", {1, 1, static_cast<std::uint32_t>(decay.size())}, decay)});
    };
    const Bytes file = five({0.0f, 1.0f, 0.5f, 0x1p-149f});
    for (const float value : values_of(*opened(file), "blocks.0.att.time_decay")) CHECK(std::isfinite(value));
    const std::vector<float> values = values_of(*opened(file), "blocks.0.att.time_decay");
    CHECK(std::exp(-std::exp(values[0])) == 0.0f);
    CHECK(std::exp(-std::exp(values[1])) == 1.0f);
    CHECK(std::exp(-std::exp(values[2])) == doctest::Approx(0.5));
    for (const float wrong : {-0.5f, 1.5f, NAN, INFINITY})
        check_error(error_of(opened(five({wrong}))->read(1)), "x", Status::model_file, {"time_decay", "no decay"});
    const Bytes four = ggml_bin_file({floats("blocks.0.att.time_decay", {2}, {-0.25f, 0.0f})});
    CHECK(values_of(*opened(four), "blocks.0.att.time_decay")[0] == doctest::Approx(std::log(0.25)));
    check_error(error_of(opened(ggml_bin_file({floats("blocks.0.att.time_decay", {1}, {1})}))->read(0)), "x",
                Status::model_file, {"no decay"});
}
