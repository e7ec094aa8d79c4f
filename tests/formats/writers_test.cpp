// Models written and read again: nothing changes where nothing was to change, and errors leave no file behind.
#include "loader/description.h"
#include "loader/formats/gguf_file.h"
#include "loader/formats/gguf_writer.h"
#include "loader/formats/safetensors_writer.h"
#include "loader/quant/formats.h"
#include "tests/formats/builders/gguf_builder.h"
#include "tests/formats/builders/model_builder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

constexpr std::string_view kVersions[] = {"4.0", "5.0", "5.1", "5.2", "6.0", "7.0", "7a"};

template <class T>
T must(Result<T> result) {
    REQUIRE_MESSAGE(result.ok(), (result.ok() ? "" : result.error().message));
    return std::move(result).value();
}

// filled_model with 256 for 16 and 512 for 24, so that every block type fits.
std::vector<NamedTensor> wide_model(std::string_view version) {
    std::vector<NamedTensor> model = filled_model(version);
    for (NamedTensor &tensor : model) {
        auto &shape = tensor.info.shape;
        if (shape == std::vector<std::uint64_t>{4, 4}) shape = {4, 64};
        for (std::uint64_t &size : shape) size = size == 16 ? 256 : size == 24 ? 512 : size;
        std::vector<float> values(tensor.info.elements());
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = std::sin(static_cast<float>(i * 7919 % 10007) + static_cast<float>(tensor.info.name.size()));
        tensor.bytes = bytes_of(values);
    }
    return model;
}

WriteReport write(const TensorSource &source, const GgufOptions &options, const TemporaryPath &path) {
    return must(write_gguf(source, must(describe(source)), options, path.path()));
}

std::vector<std::string> single_bytes() {
    std::vector<std::string> texts;
    for (int byte = 0; byte < 11; ++byte) texts.push_back(std::string(1, static_cast<char>(byte * 25)));
    return texts;
}

double worst_error(const TensorSource &got, const TensorSource &want, std::string_view name) {
    const std::vector<float> a = values_of(got, name), b = values_of(want, name);
    REQUIRE(a.size() == b.size());
    double error = 0, square = 0;
    for (std::size_t i = 0; i < a.size(); ++i) {
        error += std::pow(double(a[i]) - double(b[i]), 2);
        square += double(b[i]) * double(b[i]);
    }
    return std::sqrt(error / square);
}

} // namespace

TEST_CASE("written as it is, every version reads back the same") {
    for (const std::string_view version : kVersions)
        for (const bool gguf : {false, true}) {
            CAPTURE(version);
            CAPTURE(gguf);
            const Bytes file = safetensors_file(filled_model(version));
            const auto official = opened(file);
            const TemporaryPath path;
            const WriteReport report =
                gguf ? write(*official, {}, path) : must(write_safetensors(*official, {}, path.path()));
            CHECK(report.bytes == std::filesystem::file_size(path.path()));
            const auto again = must(open_tensor_source(path.path()));
            CHECK(label_of(must(describe(*again)).version) == version);
            for (const TensorInfo &info : official->tensors()) {
                CAPTURE(info.name);
                const bool unused =
                    info.name == "blocks.0.att.v0" || info.name == "blocks.0.att.v1" || info.name == "blocks.0.att.v2";
                if (gguf && unused && version == "7.0") continue;
                const auto index = find_tensor(*again, info.name);
                REQUIRE(index.has_value());
                CHECK(again->tensors()[*index].shape == info.shape);
                CHECK(values_of(*again, info.name) == values_of(*official, info.name));
            }
        }
}

TEST_CASE("the GGUF that is written has llama.cpp's names, as its converter makes them") {
    for (const std::string_view version : {"6.0", "7.0"}) {
        const std::vector<NamedTensor> model = filled_model(version);
        const Bytes file = safetensors_file(model);
        const TemporaryPath path;
        (void)write(*opened(file), {.token_texts = single_bytes()}, path);
        const GgufBuilder expected = llama_cpp_model(model, version == "6.0" ? "rwkv6" : "rwkv7", 4);
        const Bytes theirs = expected.file();
        const GgufFile want = must(GgufFile::parse("want", theirs));
        std::ifstream stream(path.path(), std::ios::binary);
        const std::string text((std::istreambuf_iterator<char>(stream)), {});
        const Bytes ours = bytes_of(text);
        const GgufFile got = must(GgufFile::parse("got", ours));
        CHECK(got.tensors().size() == want.tensors().size());
        for (const GgufTensor &tensor : want.tensors()) {
            CAPTURE(tensor.info.name);
            bool found = false;
            for (const GgufTensor &other : got.tensors()) {
                if (other.info.name != tensor.info.name) continue;
                found = true;
                CHECK(other.info.shape == tensor.info.shape);
                CHECK(std::ranges::equal(other.bytes, tensor.bytes));
            }
            CHECK(found);
        }
        CHECK(got.text("tokenizer.ggml.model") == "rwkv");
        CHECK(got.texts("tokenizer.ggml.tokens")[4] == "d");
        CHECK(got.texts("tokenizer.ggml.tokens")[0] == "\\x00");
    }
}

TEST_CASE("every type of weights, in every version") {
    const Bytes seven = safetensors_file(wide_model("7.0")), four = safetensors_file(wide_model("4.0"));
    for (const Bytes *file : {&seven, &four})
        for (const Format &format : formats()) {
            CAPTURE(format.name);
            const auto official = opened(*file);
            const TemporaryPath path;
            const GgufOptions options{.weights = format.dtype};
            const WriteReport plan = must(plan_gguf(*official, must(describe(*official)), options));
            const WriteReport report = write(*official, options, path);
            CHECK(plan.bytes == report.bytes);
            CHECK(report.bytes == std::filesystem::file_size(path.path()));
            for (const WrittenTensor &tensor : report.tensors) CHECK_FALSE(tensor.fallback);
            const auto again = must(open_tensor_source(path.path()));
            (void)must(describe(*again));
            const auto index = find_tensor(*again, "blocks.1.ffn.value.weight");
            CHECK(again->tensors()[*index].dtype == format.dtype);
            CHECK(again->read(*index)->is_view());
            CHECK(worst_error(*again, *official, "blocks.1.ffn.value.weight") < 0.1);
            CHECK(worst_error(*again, *official, "head.weight") < (format.elements == 1 ? 0.01 : 0.02));
            CHECK(worst_error(*again, *official, "emb.weight") < 0.003);
            CHECK(values_of(*again, "blocks.0.ln1.weight") == values_of(*official, "blocks.0.ln1.weight"));
        }
}

TEST_CASE("quantised again: blocks to safetensors and to other blocks") {
    const Bytes file = safetensors_file(wide_model("7.0"));
    const TemporaryPath quantised, plain, other;
    (void)write(*opened(file), {.weights = DType::q4_k}, quantised);
    const auto source = must(open_tensor_source(quantised.path()));
    (void)must(write_safetensors(*source, {}, plain.path()));
    const auto f32 = must(open_tensor_source(plain.path()));
    for (const TensorInfo &info : source->tensors()) CHECK(values_of(*f32, info.name) == values_of(*source, info.name));
    (void)write(*source, {.weights = DType::q8_0}, other);
    const auto again = must(open_tensor_source(other.path()));
    CHECK(worst_error(*again, *source, "blocks.0.att.key.weight") < 0.01);
    check_error(error_of(write_safetensors(*source, {.weights = DType::q4_0}, other.path())), quantised.path(),
                Status::argument, {"q4_0", ".gguf"});
}

TEST_CASE("rows that do not divide are reported") {
    const Bytes file = safetensors_file(filled_model("7.0"));
    const TemporaryPath path;
    const WriteReport report = write(*opened(file), {.weights = DType::q8_0}, path);
    for (const WrittenTensor &tensor : report.tensors) {
        if (tensor.name != "blocks.0.att.key.weight") continue;
        CHECK(tensor.fallback);
        CHECK(tensor.to == DType::f16);
    }
}

TEST_CASE("the vocabulary goes with the file, and from file to file") {
    const Bytes file = safetensors_file(filled_model("7.0"));
    const std::vector<std::string> texts = {"", "\n", std::string("\0\xff", 2), "a\\b", "'", "\"", "\t\r", "é", "~"};
    const TemporaryPath first, second;
    (void)write(*opened(file), {.name = "a name", .token_texts = texts}, first);
    const auto source = must(open_tensor_source(first.path()));
    std::vector<std::string> expected = texts;
    expected.resize(11);
    CHECK(*source->token_texts() == expected);
    CHECK(source->metadata().at("general.name") == "a name");
    CHECK(source->metadata().at("general.architecture") == "rwkv7");
    (void)write(*source, {}, second);
    const auto again = must(open_tensor_source(second.path()));
    CHECK(*again->token_texts() == expected);
    CHECK(again->metadata().at("general.name") == "a name");
    std::vector<std::string> many(12, "x");
    check_error(error_of(write_gguf(*source, must(describe(*source)), {.token_texts = many}, second.path())),
                first.path(), Status::argument, {"12 tokens", "11 rows"});
    many.back().clear();
    (void)write(*source, {.token_texts = many}, second);
    CHECK(must(token_texts_of(*make_byte_tokenizer())).size() == 256);
}

TEST_CASE("metadata of a safetensors source is kept") {
    const Bytes file = safetensors_file(filled_model("4.0"), R"({"vocab":"bytes-256","format":"x"})");
    const TemporaryPath path;
    (void)must(write_safetensors(*opened(file), {}, path.path()));
    const auto again = must(open_tensor_source(path.path()));
    CHECK(again->metadata() == std::map<std::string, std::string>{{"format", "pt"}, {"vocab", "bytes-256"}});
}

TEST_CASE("what cannot be written is said, and no file is left") {
    std::vector<NamedTensor> model = wide_model("7.0");
    const auto with = [&](float value) {
        std::vector<NamedTensor> changed = model;
        std::memcpy(tensor_named(changed, "blocks.1.ffn.key.weight").bytes.data() + 40, &value, sizeof value);
        return safetensors_file(changed);
    };
    for (const float value : {NAN, INFINITY, -70000.0f}) {
        const Bytes file = with(value);
        const auto source = opened(file);
        for (const DType dtype : {DType::f16, DType::q8_0, DType::q4_k}) {
            const TemporaryPath path;
            check_error(error_of(write_gguf(*source, must(describe(*source)), {.weights = dtype}, path.path())), "x",
                        Status::unsupported, {"blocks.1.ffn.key.weight", "element 10", name_of(dtype)});
            CHECK_FALSE(std::filesystem::exists(path.path()));
            CHECK_FALSE(std::filesystem::exists(path.path() + ".partial"));
        }
    }
    const Bytes file = safetensors_file(model);
    const auto source = opened(file);
    const TemporaryPath path;
    int calls = 0;
    const auto stop = [&](std::string_view, std::uint64_t done, std::uint64_t total) {
        CHECK(done <= total);
        return ++calls < 5;
    };
    const auto stopped = write_gguf(*source, must(describe(*source)), {.progress = stop}, path.path());
    CHECK(error_of(stopped).status == Status::cancelled);
    CHECK_FALSE(std::filesystem::exists(path.path()));
    check_error(error_of(write_safetensors(*source, {}, "/nowhere/at/all")), "/nowhere/at/all", Status::io, {"create"});
    std::filesystem::create_directory(path.path());
    check_error(error_of(write_safetensors(*source, {}, path.path())), path.path(), Status::io, {"finish"});
    CHECK_FALSE(std::filesystem::exists(path.path() + ".partial"));
}

TEST_CASE("a file may be written over itself") {
    const Bytes file = safetensors_file(wide_model("7.0"));
    const TemporaryPath path;
    path.write(file);
    const auto source = must(open_tensor_source(path.path()));
    (void)write(*source, {.weights = DType::q8_0}, path);
    CHECK(must(open_tensor_source(path.path()))->container() == "gguf");
}

TEST_CASE("rules decide for single tensors, in both containers") {
    const Bytes file = safetensors_file(wide_model("7.0"));
    const auto source = opened(file);
    const auto type_in = [](const WriteReport &report, std::string_view name) {
        const auto found = std::ranges::find(report.tensors, name, &WrittenTensor::name);
        REQUIRE(found != report.tensors.end());
        return *found;
    };
    const TemporaryPath path;
    const WriteReport report = write(*source,
                                     {.weights = DType::q4_k,
                                      .rules = {{"blocks.0.*.value.weight", DType::q8_0},
                                                {"blocks.*.att.g1", DType::q5_1},
                                                {"blocks.*.att.a2", DType::q8_0},
                                                {"emb.weight", DType::q6_k},
                                                {"head.weight", DType::q4_0}}},
                                     path);
    CHECK(type_in(report, "blocks.0.att.value.weight").to == DType::q8_0);
    CHECK(type_in(report, "blocks.1.att.value.weight").to == DType::q4_k);
    CHECK(type_in(report, "blocks.1.att.g1").to ==
          DType::q5_1); // a row has 256 values in the file, 6 in the checkpoint
    CHECK_FALSE(type_in(report, "blocks.1.att.g1").fallback);
    CHECK(type_in(report, "blocks.1.att.a2").to == DType::f16); // here 3
    CHECK(type_in(report, "blocks.1.att.a2").fallback);
    CHECK(type_in(report, "blocks.1.att.a1").to == DType::f32);
    CHECK(type_in(report, "emb.weight").to == DType::q6_k);
    CHECK(type_in(report, "head.weight").to == DType::q4_0);
    const auto again = must(open_tensor_source(path.path()));
    (void)must(describe(*again));
    CHECK(report.bytes == std::filesystem::file_size(path.path()));
    for (const char *name : {"blocks.1.att.g1", "blocks.1.att.a2", "emb.weight", "head.weight"})
        CHECK(worst_error(*again, *source, name) < 0.1);

    const SafetensorsOptions plain{.weights = DType::bf16,
                                   .rules = {{"blocks.*.key.weight", DType::f16}, {"*.ln?.*", DType::f16}}};
    check_error(error_of(plan_safetensors(*source, plain)), "x", Status::argument, {"*.ln?.*", "no tensor"});
    const WriteReport other = must(plan_safetensors(
        *source, {.weights = DType::bf16, .rules = {{"*.key.weight", DType::f16}, {"*.ln*", DType::bf16}}}));
    CHECK(type_in(other, "blocks.1.att.key.weight").to == DType::f16);
    CHECK(type_in(other, "blocks.1.att.value.weight").to == DType::bf16);
    CHECK(type_in(other, "blocks.0.ln1.bias").to == DType::bf16);
    CHECK(type_in(other, "blocks.0.att.w1").to == DType::f32);
}

TEST_CASE("rules that no file can follow are refused") {
    for (const std::string_view version : {"6.0", "7.0"}) {
        const Bytes file = safetensors_file(wide_model(version));
        const auto source = opened(file);
        const auto refused = [&](std::string pattern, DType type, std::initializer_list<std::string_view> parts) {
            CAPTURE(pattern);
            const GgufOptions options{.rules = {{pattern, type}}};
            check_error(error_of(plan_gguf(*source, must(describe(*source)), options)), "x", Status::argument, parts);
        };
        refused("blocks.7.*", DType::f16, {"blocks.7.*", "no tensor"});
        refused("blocks.*", DType::f16, {"blocks.0.ln0.weight", "f32 only", "blocks.*"});
        refused("ln_out.bias", DType::q8_0, {"ln_out.bias", "q8_0"});
        refused(version == "6.0" ? "*.time_maa_r" : "*.x_r", DType::f16, {"f32 only"});
        refused(version == "6.0" ? "*.time_decay_w2" : "*.w2", DType::bf16, {"f32 only", "bf16"});
        const GgufOptions kept{.rules = {{"*.ln?.*", DType::f32}, {"*.ln0.*", DType::f32}, {"*", DType::f32}}};
        check_error(error_of(plan_gguf(*source, must(describe(*source)), kept)), "x", Status::argument, {"*.ln?.*"});
        (void)must(plan_gguf(*source, must(describe(*source)), {.rules = {{"*", DType::f32}}}));
        check_error(error_of(plan_safetensors(*source, {.rules = {{"emb.weight", DType::q8_0}}})), "x",
                    Status::argument, {"q8_0", "gguf"});
    }
    const Bytes four = safetensors_file(wide_model("4.0")); // a file only we read: vectors may be anything
    const auto source = opened(four);
    const TemporaryPath path;
    (void)write(*source, {.rules = {{"*", DType::f16}}}, path);
    const auto again = must(open_tensor_source(path.path()));
    for (const TensorInfo &tensor : again->tensors()) CHECK(tensor.dtype == DType::f16);
}
