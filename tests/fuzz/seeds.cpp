// Writes what each fuzz target begins with: files that are right, from the builders of tests/formats. seeds DIRECTORY
#define DOCTEST_CONFIG_IMPLEMENT
#include "loader/tokenizer/packed_vocabulary.h"
#include "runtime/engine/state_file.h"
#include "tests/formats/builders/ggml_bin_builder.h"
#include "tests/formats/builders/gguf_builder.h"
#include "tests/formats/builders/model_builder.h"
#include "tests/formats/builders/pickle_builder.h"
#include "tests/formats/builders/pth_builder.h"
#include "tests/fuzz/state_shape.h"

#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>

using namespace ff::loader::test;

namespace {

class Seeds {
  public:
    explicit Seeds(std::filesystem::path root) : root_(std::move(root)) {}

    void add(const std::string &target, std::span<const std::byte> bytes) {
        std::filesystem::create_directories(root_ / target);
        std::ofstream file(root_ / target / fmt::format("{:02}", ++count_), std::ios::binary);
        file.write(reinterpret_cast<const char *>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
    }
    void add(const std::string &target, std::string_view text) { add(target, std::as_bytes(std::span(text))); }

  private:
    std::filesystem::path root_;
    int count_ = 0;
};

// A model's first tensors suffice: a fuzzer is the faster, the smaller its files are.
std::vector<NamedTensor> few(std::string_view version) {
    std::vector<NamedTensor> model = filled_model(version);
    model.resize(6);
    return model;
}

void add_checkpoints(Seeds &seeds) {
    seeds.add("safetensors", safetensors_file(few("7.0")));
    seeds.add("safetensors", safetensors_file({f32_tensor("t", {2, 2}, {1, 2, 3, 4})}, R"({"format":"pt"})"));
    for (const char *version : {"4.0", "5.2", "6.0", "7.0"}) {
        seeds.add("safetensors", safetensors_file(small_model(version)));
        seeds.add("ggml_bin", ggml_bin_file(rwkv_cpp_model(filled_model(version), version)));
    }
    for (const char *version : {"6.0", "7.0"}) {
        GgufBuilder file = llama_cpp_model(filled_model(version), version[0] == '6' ? "rwkv6" : "rwkv7", 4);
        seeds.add("gguf", file.file());
        file.add_text("tokenizer.ggml.model", "rwkv");
        file.add_texts("tokenizer.ggml.tokens", {"<s>", "a", "\\n", "\\xff", "ab"});
        file.add_u32("tokenizer.ggml.eot_token_id", 2);
        file.rows.resize(3);
        seeds.add("gguf", file.file());
    }
    seeds.add("gguf", verbatim_model(few("4.0"), "rwkv4").file());
    seeds.add("ggml_bin",
              ggml_bin_file({{"emb.weight", 2, {32, 2}, Bytes(36)}, {"blocks.0.att.w1", 0, {2, 2}, Bytes(16)}}));
    seeds.add("pth", pth_file(few("7.0")));
    seeds.add("pth", pth_file(small_pickle(), {small_storage()}));
    seeds.add("pth", pth_file(small_pickle(), {small_storage()}, {.deflate = true}));
    seeds.add("pth", pth_file(small_pickle(), {small_storage()}, {.zip64 = true, .padding = 5}));
    seeds.add("pickle", small_pickle());
    for (const int protocol : {3, 4, 5})
        seeds.add("pickle",
                  pickled::pickle(
                      pickled::dict({{pickled::text("t"), pickled::parameter(pickled::tensor("BFloat16Storage", "0", 6,
                                                                                             0, {2, 3}, {3, 1}))},
                                     {pickled::text("more"),
                                      pickled::list({pickled::none(), pickled::yes(), pickled::integer(-70000)})}}),
                      protocol));
}

void add_states(Seeds &seeds) {
    const ff::loader::ModelDescription model = ff::fuzz::state_model();
    const ff::model::StateLayout layout = ff::model::state_layout(model);
    ff::engine::Snapshot snapshot{ff::engine::shape_of(model), 1, std::vector<std::byte>(2 * layout.slot_bytes), {}};
    for (const bool with_logits : {false, true}) {
        if (with_logits) snapshot.logits.assign(model.vocabulary, 0.5F);
        const std::vector<std::byte> file = ff::engine::encode_state(snapshot, layout, "0123456789abcdef");
        seeds.add("state_file", std::string(reinterpret_cast<const char *>(file.data()), file.size()));
    }
    std::vector<NamedTensor> tuned;
    for (const char *name : {"blocks.0.att.time_state", "blocks.1.att.time_state"})
        tuned.push_back(f32_tensor(name, {2, 8, 8}, std::vector<float>(128, 0.25F)));
    seeds.add("state_file", safetensors_file(tuned));
    seeds.add("state_file", pth_file(tuned));
}

void add_tokenizers(Seeds &seeds) {
    seeds.add("world_vocabulary", "300 'ab' 2\n301 ' a ' 3\n302 '\\u4e2d' 3\n303 b'\\xe4\\xb8' 2\n65535 \"it's\" 4\n");
    seeds.add("neox_vocabulary",
              R"({"added_tokens":[{"id":5,"content":"<|endoftext|>","normalized":false},{"id":6,"content":"  ",)"
              R"("normalized":true}],"normalizer":{"type":"NFC"},"pre_tokenizer":{"type":"ByteLevel",)"
              R"("add_prefix_space":false},"model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2,"Ġ":3,"Ġab":4},)"
              R"("merges":["a b",["Ġ","ab"]]}})");
    for (const char *text :
         {"Hello world\n\n", "a  b   <|endoftext|> it's 1234", "caf\xc3\xa9 e\xcc\x81 \xe4\xb8\xad\xff"})
        seeds.add("tokenizers", text);
    seeds.add("packed_vocabulary",
              std::string_view("ffvb\2\0\2\0ab\2\0\0\0\2\0\3\0\4\0\4\0\2\0\0\0\0\3<|>\6\0\1\2  ", 37));
    seeds.add("packed_vocabulary", ff::loader::packed_world().first(3000));
}

} // namespace

int main(int count, char **arguments) {
    if (count != 2) return 2;
    doctest::Context context; // the builders check what they do
    context.setAsDefaultForAssertsOutOfTestCases();
    context.setAssertHandler([](const doctest::AssertData &failed) {
        if (failed.m_failed) std::abort();
    });
    Seeds seeds(arguments[1]);
    add_checkpoints(seeds);
    add_states(seeds);
    add_tokenizers(seeds);
}
