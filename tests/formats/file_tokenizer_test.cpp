// Vocabularies that a GGUF file brings along.
#include "loader/description.h"
#include "loader/formats/gguf_writer.h"
#include "loader/tokenizer/packed_vocabulary.h"
#include "loader/tokenizer/tokenizer.h"
#include "tests/formats/builders/gguf_builder.h"
#include "tests/formats/builders/model_builder.h"

#include <fmt/format.h>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

using Ids = std::vector<std::uint32_t>;
constexpr std::uint32_t kNormal = 1, kControl = 3, kUserDefined = 4;

// A model of `rows` rows with this vocabulary.
GgufBuilder model_with(const std::vector<std::string> &tokens, std::uint64_t rows,
                       const std::vector<std::uint32_t> &kinds = {}, std::string_view model = "rwkv") {
    GgufBuilder file;
    file.add_text("general.architecture", "rwkv7");
    file.add_text("tokenizer.ggml.model", model);
    file.add_texts("tokenizer.ggml.tokens", tokens);
    if (!kinds.empty()) {
        Bytes array;
        append_le(array, std::uint32_t{5}); // of int32
        append_le(array, std::uint64_t{kinds.size()});
        for (const std::uint32_t kind : kinds) append_le(array, kind);
        file.add_raw("tokenizer.ggml.token_type", 9, array);
    }
    file.rows.push_back({"token_embd.weight", {1, rows}, 0, Bytes(4 * rows)});
    return file;
}

std::unique_ptr<Tokenizer> tokenizer_of(const GgufBuilder &builder) {
    const Bytes file = builder.file();
    const auto source = opened(file);
    CHECK(brings_vocabulary(*source));
    auto tokenizer = make_file_tokenizer(*source);
    REQUIRE_MESSAGE(tokenizer.ok(), (tokenizer.ok() ? "" : tokenizer.error().message));
    return std::move(tokenizer).value(); // which keeps nothing of the file
}

void check_refused(const GgufBuilder &builder, Status status, std::initializer_list<std::string_view> parts) {
    const Bytes file = builder.file();
    check_error(error_of(make_file_tokenizer(*opened(file))), "x", status, parts);
}

} // namespace

TEST_CASE("file: the longest match over the file's own tokens") {
    const auto tokenizer = tokenizer_of(model_with({"<s>", "a", "b", "ab", "\\n", "<|user|>", "a", "[PAD7]"}, 10,
                                                   {kControl, 1, 1, 1, 1, kUserDefined, kNormal, 5}));
    CHECK(tokenizer->name() == "file");
    CHECK(tokenizer->vocabulary() == 10);
    CHECK(*tokenizer->encode("ab<|user|>\na") == Ids{3, 5, 4, 1}); // the lower of two equal ones
    CHECK(*tokenizer->decode(5) == "<|user|>");
    CHECK(*tokenizer->decode(6) == "a");
    for (const std::uint32_t id : {0U, 7U, 8U, 9U}) CHECK(tokenizer->decode(id)->empty());
    CHECK(error_of(tokenizer->decode(10)).status == Status::argument);
    for (const char *text : {"<s>", "c", "<|use"}) CHECK(error_of(tokenizer->encode(text)).status == Status::argument);
    CHECK(tokenizer->special(TokenRole::end_of_text) == 0);
    CHECK_FALSE(tokenizer->special(TokenRole::end_of_turn));
}

TEST_CASE("file: the tokens it names") {
    GgufBuilder file = model_with({"a", "b", "c"}, 3);
    CHECK_FALSE(tokenizer_of(file)->special(TokenRole::end_of_text)); // 0 is a text here
    file.add_u32("tokenizer.ggml.eos_token_id", 2);
    file.add_u32("tokenizer.ggml.eot_token_id", 1);
    CHECK(tokenizer_of(file)->special(TokenRole::end_of_text) == 2);
    CHECK(tokenizer_of(file)->special(TokenRole::end_of_turn) == 1);
    GgufBuilder wrong = model_with({"a", "b", "c"}, 3);
    wrong.add_u32("tokenizer.ggml.eot_token_id", 3);
    check_refused(wrong, Status::model_file, {"eot_token_id", "3", "below 3"});
    GgufBuilder text = model_with({"a", "b", "c"}, 3);
    text.add_text("tokenizer.ggml.eos_token_id", "\n1");
    check_refused(text, Status::model_file, {"eos_token_id", "\\x0a1"});
}

TEST_CASE("file: nothing of ours") {
    const Bytes safetensors = safetensors_file(small_model("7.0"));
    const auto plain = opened(safetensors);
    CHECK_FALSE(brings_vocabulary(*plain));
    check_error(error_of(make_file_tokenizer(*plain)), "x", Status::unsupported, {"tokenizer.ggml.model"});
    for (const GgufBuilder &builder : {model_with({"a"}, 1, {}, "gpt2"), model_with({}, 1)}) {
        const Bytes file = builder.file();
        CHECK_FALSE(brings_vocabulary(*opened(file)));
        check_refused(builder, Status::unsupported, {"no vocabulary"});
    }
    check_refused(model_with({"a", "b"}, 1), Status::model_file, {"2 tokens", "1 rows"});
    check_refused(model_with({"a", std::string(1025, 'x')}, 2), Status::model_file, {"token 1", "1025 bytes"});
}

TEST_CASE("file: the world vocabulary is recognised, and the tokens the file names are kept") {
    const auto world = unpack_world("world", packed_world());
    REQUIRE(world.ok());
    std::vector<std::string> tokens = {"<s>"};
    std::vector<std::uint32_t> kinds = {kControl};
    for (std::size_t id = 1; id < world->size(); ++id) {
        std::string escaped;
        for (const char c : (*world)[id]) escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
        tokens.push_back(std::move(escaped));
        kinds.push_back(kNormal);
    }
    GgufBuilder file = model_with(tokens, 65536, kinds);
    file.add_u32("tokenizer.ggml.eot_token_id", 261);
    const auto tokenizer = tokenizer_of(file);
    CHECK(tokenizer->name() == "world");
    CHECK(tokenizer->vocabulary() == 65536);
    CHECK(tokenizer->special(TokenRole::end_of_text) == 0);
    CHECK(tokenizer->special(TokenRole::end_of_turn) == 261);
    CHECK(*tokenizer->encode("Hello\n\n") == *(*make_world_tokenizer())->encode("Hello\n\n"));
    tokens[300] += "x";
    CHECK(tokenizer_of(model_with(tokens, 65536, kinds))->name() == "file");
}

TEST_CASE("file: what a tokenizer is written from, it is read back as") {
    const Bytes file = safetensors_file(small_model("7.0"));
    const auto model = opened(file);
    const auto description = describe(*model);
    REQUIRE(description.ok());
    const TemporaryPath first, second;
    const GgufOptions options{
        .token_texts = {"", "a", "\n\n", "a\\b", std::string("\0\xff", 2)}, .end_of_text = 1, .end_of_turn = 2};
    REQUIRE(write_gguf(*model, *description, options, first.path()).ok());
    const auto once = open_tensor_source(first.path());
    REQUIRE(once.ok());
    REQUIRE(write_gguf(**once, *description, {}, second.path()).ok()); // goes along
    const auto twice = open_tensor_source(second.path());
    REQUIRE(twice.ok());
    for (const auto *source : {&once, &twice}) {
        const auto tokenizer = make_file_tokenizer(***source);
        REQUIRE(tokenizer.ok());
        CHECK((*tokenizer)->vocabulary() == 11);
        CHECK((*tokenizer)->special(TokenRole::end_of_text) == 1);
        CHECK((*tokenizer)->special(TokenRole::end_of_turn) == 2);
        REQUIRE((*tokenizer)->encode("a\\ba").ok());
        CHECK(*(*tokenizer)->encode(std::string_view("a\\ba\n\n\0\xff", 8)) == Ids{3, 1, 2, 4});
    }
}
