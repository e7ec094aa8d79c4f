// GGUF files that are cut, changed or lie.
#include "tests/formats/builders/gguf_builder.h"
#include "tests/formats/builders/model_builder.h"

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

GgufBuilder small() {
    GgufBuilder builder;
    builder.add_text("general.architecture", "rwkv7");
    builder.add_u32("rwkv7.wkv.head_size", 2);
    builder.add_texts("tokenizer.ggml.tokens", {"a", "bc"});
    builder.rows.push_back({"blk.1.time_mix_w1.weight", {3, 2}, 0, bytes_of(std::vector<float>{1, 2, 3, 4, 5, 6})});
    builder.rows.push_back({"blk.1.time_mix_r_k.weight", {4}, 0, bytes_of(std::vector<float>{1, 2, 3, 4})});
    return builder;
}

void read_all(std::span<const std::byte> bytes) {
    const auto source = open_tensor_source("x", bytes);
    if (!source.ok()) {
        check_sentence(source.error(), "x");
        return;
    }
    (void)(*source)->token_texts();
    for (std::size_t i = 0; i < (*source)->tensors().size(); ++i) {
        const auto read = (*source)->read(i);
        if (read.ok())
            CHECK(read->bytes().size() == (*source)->tensors()[i].bytes());
        else
            check_sentence(read.error(), "x");
    }
}

// One tensor "t" of 64 bytes under official names.
GgufBuilder one(std::vector<std::uint64_t> dimensions, std::uint32_t type) {
    GgufBuilder builder;
    builder.add_text("general.architecture", "rwkv4");
    builder.rows.push_back({"t", std::move(dimensions), type, Bytes(64)});
    return builder;
}

void check_refused(const GgufBuilder &builder, std::initializer_list<std::string_view> parts,
                   Status status = Status::model_file) {
    check_error(refusal(builder.file()), "x", status, parts);
}

} // namespace

TEST_CASE("gguf: cut at every byte") {
    const Bytes file = small().file();
    REQUIRE(opened(file)->tensors().size() == 2);
    const std::size_t needed = file.size() - 16; // the last tensor's padding may be missing
    for (std::size_t size = 0; size < needed; ++size) {
        CAPTURE(size);
        check_sentence(refusal(std::span(file).first(size)), "x");
    }
    for (std::size_t size = needed; size <= file.size(); ++size) (void)opened(std::span(file).first(size));
}

TEST_CASE("gguf: every byte changed") {
    const Bytes file = small().file();
    for (std::size_t at = 0; at < file.size(); ++at)
        for (const unsigned bits : {0x01u, 0x02u, 0x10u, 0x80u, 0xFFu}) {
            Bytes changed = file;
            changed[at] ^= static_cast<std::byte>(bits);
            read_all(changed);
        }
}

TEST_CASE("gguf: counts and lengths that lie") {
    constexpr std::uint64_t kMost = UINT64_MAX;
    for (const std::uint64_t count : {std::uint64_t{4}, std::uint64_t{100'000}, std::uint64_t{1} << 40, kMost}) {
        CAPTURE(count);
        GgufBuilder builder = small();
        builder.tensor_count = count;
        check_sentence(refusal(builder.file()), "x");
        builder = small();
        builder.entry_count = count;
        check_sentence(refusal(builder.file()), "x");
    }
    GgufBuilder builder = small();
    builder.tensor_count = 0;
    check_refused(builder, {"no tensors"});
    for (const std::uint64_t length : {std::uint64_t{9000}, std::uint64_t{1} << 30, kMost - 7, kMost}) {
        CAPTURE(length);
        Bytes text;
        append_le(text, length);
        builder = small();
        builder.add_raw("k", 8, text); // a text that is longer than the file
        check_sentence(refusal(builder.file()), "x");
        for (const std::uint32_t type : {0u, 4u, 8u, 12u}) { // arrays
            Bytes array;
            append_le(array, type);
            append_le(array, length);
            builder = small();
            builder.add_raw("k", 9, array);
            check_sentence(refusal(builder.file()), "x");
        }
    }
    Bytes nested;
    for (const std::uint32_t number : {9u, 1u, 0u}) append_le(nested, number);
    builder = small();
    builder.add_raw("k", 9, nested);
    check_refused(builder, {"metadata k", "arrays of arrays"});
    builder = small();
    builder.add_raw("k", 13, {});
    check_refused(builder, {"metadata k", "type 13"});
    builder = small();
    builder.add_u32("general.architecture", 1);
    check_refused(builder, {"general.architecture", "twice"});
}

TEST_CASE("gguf: other versions, other byte order") {
    GgufBuilder builder = small();
    builder.version = 2;
    CHECK(opened(builder.file())->tensors().size() == 2);
    builder.version = 1;
    check_refused(builder, {"version 1", "2 and 3"}, Status::unsupported);
    builder.version = 4;
    check_refused(builder, {"version 4"}, Status::unsupported);
    builder.version = 3u << 24;
    check_refused(builder, {"big-endian"}, Status::unsupported);
}

TEST_CASE("gguf: tensors that no file can hold") {
    (void)opened(one({16}, 0).file());
    check_refused(one({}, 0), {"tensor t", "0 axes"});
    check_refused(one({1, 1, 1, 1, 16}, 0), {"tensor t", "5 axes"});
    check_refused(one({17}, 0), {"tensor t", "68 bytes"});
    check_refused(one({0}, 0), {"tensor t", "[0]"});
    check_refused(one({1ull << 62, 4}, 0), {"tensor t"});
    check_refused(one({(1ull << 62) + 4}, 0), {"tensor t"}); // times four wraps to 16
    check_refused(one({16, 2}, 8), {"tensor t", "q8_0"});    // half a block a row
    check_refused(one({32, 1ull << 60}, 8), {"tensor t"});
    check_refused(one({16}, 4), {"tensor t", "type 4"}, Status::unsupported);
    check_refused(one({16}, 10), {"tensor t", "Q2_K", "Q4_K"}, Status::unsupported);
    check_refused(one({16}, UINT32_MAX), {"tensor t", "4294967295"}, Status::unsupported);
}

TEST_CASE("gguf: offsets and alignment") {
    for (const std::uint64_t offset : {std::uint64_t{1}, std::uint64_t{31}}) {
        GgufBuilder builder = one({16}, 0);
        builder.offsets = {offset};
        check_refused(builder, {"tensor t", "multiple of 32"});
    }
    for (const std::uint64_t offset : {std::uint64_t{32}, std::uint64_t{1} << 40, UINT64_MAX - 31}) {
        GgufBuilder builder = one({16}, 0);
        builder.offsets = {offset};
        check_refused(builder, {"tensor t", "cut short"});
    }
    GgufBuilder builder = small();
    builder.offsets = {0, 0};
    check_refused(builder, {"inside the one before"});
    builder.offsets = {32, 0}; // in another order than listed: allowed, the gap too
    (void)opened(builder.file());
    for (const std::uint32_t alignment : {0u, 3u, 1u << 31}) {
        builder = small();
        builder.add_u32("general.alignment", alignment);
        check_refused(builder, {"general.alignment", "power of two"});
    }
    builder = small();
    builder.add_text("general.alignment", "32");
    check_refused(builder, {"general.alignment"});
    builder = small();
    builder.add_u32("general.alignment", 64);
    builder.alignment = 64;
    CHECK(values_of(*opened(builder.file()), "blocks.1.att.w1") == std::vector<float>{1, 4, 2, 5, 3, 6});
}

TEST_CASE("gguf: other models") {
    GgufBuilder builder;
    builder.rows = small().rows;
    check_refused(builder, {"general.architecture"});
    for (const std::string_view name : {"llama", "rwkv6qwen2", "arwkv7", "rwkv8", ""}) {
        builder = {};
        builder.rows = small().rows;
        builder.add_text("general.architecture", name);
        check_refused(builder, {"architecture", name, "rwkv7"}, Status::unsupported);
    }
}

TEST_CASE("gguf: names that clash, or that are nobody's") {
    GgufBuilder builder = small();
    builder.rows.push_back(builder.rows[0]);
    check_refused(builder, {"time_mix_w1.weight", "twice"});
    builder = small();
    builder.rows.push_back({"blocks.1.att.w1", {16}, 0, Bytes(64)});
    check_refused(builder, {"blocks.1.att.w1", "another one"});
    builder = small();
    for (const std::string name :
         {"blk.01.time_mix_a1.weight", "blk.x.time_mix_a1.weight", "blk.", "blk.1", "blk.1.", "weight",
          "blk.99999999999999999999.time_mix_a1.weight", "blk.1.time_mix_a1.bias", "", "."})
        builder.rows.push_back({name, {16}, 0, Bytes(64)});
    const Bytes file = builder.file();
    const auto source = opened(file);
    for (std::size_t i = 2; i < source->tensors().size(); ++i) CHECK(source->tensors()[i].name == builder.rows[i].name);
}

TEST_CASE("gguf: a fused tensor of another shape") {
    for (const std::vector<std::uint64_t> &dimensions : {std::vector<std::uint64_t>{4, 1, 1, 5}, {30}, {4, 2, 1, 6}}) {
        GgufBuilder builder = small();
        std::uint64_t elements = 1;
        for (const std::uint64_t size : dimensions) elements *= size;
        builder.rows.push_back({"blk.0.time_mix_lerp_fused.weight", dimensions, 0, Bytes(4 * elements)});
        check_refused(builder, {"time_mix_lerp_fused", "[6, 1, 1, width]"});
    }
}

TEST_CASE("gguf: what cannot be multiplied back is said when it is read") {
    GgufBuilder builder;
    builder.add_text("general.architecture", "rwkv6");
    builder.add_u32("rwkv6.rescale_every_n_layers", 1);
    builder.rows.push_back({"blk.3.time_mix_output.weight", {2, 1}, 1, words({0x7000, 0x3C00})}); // 8192, 1 as f16
    builder.rows.push_back({"blk.2.time_mix_output.weight", {2, 1}, 1, words({0x7000, 0x0001})});
    builder.rows.push_back({"blk.60000.time_mix_output.weight", {2, 1}, 0, bytes_of(std::vector<float>{0, 1})});
    const Bytes file = builder.file();
    const auto source = opened(file);
    check_error(error_of(source->read(0)), "x", Status::model_file, {"time_mix_output", "2^3", "f16"});
    CHECK(values_of(*source, "blocks.2.att.output.weight") == std::vector<float>{32768, 0x1p-22f});
    check_error(error_of(source->read(2)), "x", Status::model_file, {"time_mix_output"});
}

TEST_CASE("gguf: the vocabulary it brings along") {
    GgufBuilder builder = small();
    builder.add_text("tokenizer.ggml.model", "rwkv");
    builder.add_text("tokenizer.chat_template", "rwkv-world");
    builder.rows.resize(1);
    CHECK(*opened(builder.file())->token_texts() == std::vector<std::string>{"a", "bc"});
    CHECK(opened(builder.file())->metadata().at("tokenizer.chat_template") == "rwkv-world");
    CHECK(opened(builder.file())->metadata().at("rwkv7.wkv.head_size") == "2");
    CHECK_FALSE(opened(builder.file())->metadata().contains("tokenizer.ggml.tokens"));
    GgufBuilder escaped;
    escaped.add_text("general.architecture", "rwkv7");
    escaped.add_text("tokenizer.ggml.model", "rwkv");
    escaped.add_texts("tokenizer.ggml.tokens",
                      {"<s>", "\\n", "\\x00\\xff", "a\\\\b", "\\'", "\\t\\r", "\\x4", "\\", "\\xzz", "é"});
    Bytes kinds;
    append_le(kinds, 5u);
    append_le<std::uint64_t>(kinds, 10);
    for (const int kind : {3, 1, 1, 1, 1, 1, 1, 1, 1, 1}) append_le(kinds, kind);
    escaped.add_raw("tokenizer.ggml.token_type", 9, kinds);
    escaped.rows = builder.rows;
    CHECK(*opened(escaped.file())->token_texts() ==
          std::vector<std::string>{"", "\n", std::string("\0\xff", 2), "a\\b", "'", "\t\r", "x4", "\\", "xzz", "é"});
}
