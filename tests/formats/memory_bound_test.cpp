// A file of a megabyte never takes more than 64, whatever is wrong with it: files with the smallest damage there is,
// and files that were made to exhaust memory. Every case is an error in one sentence, or a model with other values.
#include "loader/description.h"
#include "loader/tokenizer/tokenizer.h"
#include "tests/formats/builders/ggml_bin_builder.h"
#include "tests/formats/builders/gguf_builder.h"
#include "tests/formats/builders/model_builder.h"
#include "tests/formats/builders/pickle_builder.h"
#include "tests/formats/builders/pth_builder.h"
#include "tests/formats/counted_memory.h"

#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <functional>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

constexpr std::size_t kLimit = 64 << 20;
constexpr std::size_t kMegabyte = 1 << 20;

// Opens, describes, reads every tensor and the vocabulary. True if nothing was wrong.
bool whole(const std::function<Result<std::unique_ptr<TensorSource>>()> &open) {
    const auto source = open();
    if (!source.ok()) {
        check_sentence(source.error(), "x");
        return false;
    }
    const auto model = describe(**source);
    if (!model.ok()) check_sentence(model.error(), "x");
    bool read = model.ok();
    for (std::size_t i = 0; i < (*source)->tensors().size(); ++i) {
        const auto bytes = (*source)->read(i);
        if (!bytes.ok()) check_sentence(bytes.error(), "x");
        read = read && bytes.ok();
    }
    if (const auto tokenizer = make_file_tokenizer(**source); !tokenizer.ok()) check_sentence(tokenizer.error(), "x");
    return read;
}

// True if nothing was wrong with the file.
bool check_bound(const std::string &what, const Bytes &file) {
    CAPTURE(what);
    bool right = false;
    const std::size_t peak = peak_of([&] { right = whole([&] { return open_tensor_source("x", file); }); });
    INFO((peak >> 20), " MiB for a file of ", file.size(), " bytes");
    CHECK(peak <= kLimit);
    return right;
}

// 7.0 with widths that make about a megabyte.
std::vector<NamedTensor> model_of_a_megabyte() {
    std::vector<NamedTensor> model = filled_model("7.0");
    for (NamedTensor &tensor : model) {
        auto &shape = tensor.info.shape;
        if (shape == std::vector<std::uint64_t>{4, 4}) shape = {4, 32};
        for (std::uint64_t &size : shape) size = size == 16 ? 128 : size == 24 ? 192 : size;
        std::vector<float> values(tensor.info.elements());
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = std::sin(static_cast<float>(i * 7919 % 10007) + static_cast<float>(tensor.info.name.size()));
        tensor.bytes = bytes_of(values);
    }
    return model;
}

// As a session's is: a state is no model, so that describing it always ends in a sentence.
Bytes state_like() {
    std::vector<NamedTensor> tensors;
    const auto zeros = [](std::size_t count) { return std::vector<float>(count); };
    for (int layer = 0; layer < 6; ++layer) {
        tensors.push_back(f32_tensor(fmt::format("blocks.{}.att_x", layer), {768}, zeros(768)));
        tensors.push_back(f32_tensor(fmt::format("blocks.{}.wkv", layer), {10, 64, 64}, zeros(40960)));
        tensors.push_back(f32_tensor(fmt::format("blocks.{}.ffn_x", layer), {768}, zeros(768)));
    }
    return safetensors_file(tensors, R"({"format":"firefinch-state/1","rwkv_version":"7.0","layers":"6"})");
}

Bytes replaced(const Bytes &file, std::string_view from, std::string_view to) { // the first time it occurs
    std::string text(reinterpret_cast<const char *>(file.data()), file.size());
    const std::size_t at = text.find(from);
    REQUIRE_MESSAGE(at != text.npos, from);
    REQUIRE(from.size() == to.size());
    return bytes_of(text.replace(at, from.size(), to));
}

template <class T>
Bytes with_number(Bytes file, std::size_t at, T value) {
    REQUIRE(at + sizeof value <= file.size());
    std::memcpy(file.data() + at, &value, sizeof value);
    return file;
}

template <class T>
T number_at(const Bytes &file, std::size_t at) {
    T value;
    std::memcpy(&value, file.data() + at, sizeof value);
    return value;
}

std::size_t find(const Bytes &file, std::string_view text) {
    const std::size_t at = std::string_view(reinterpret_cast<const char *>(file.data()), file.size()).find(text);
    REQUIRE_MESSAGE(at != std::string_view::npos, text);
    return at;
}
std::size_t find_last(const Bytes &file, std::string_view text) {
    const std::size_t at = std::string_view(reinterpret_cast<const char *>(file.data()), file.size()).rfind(text);
    REQUIRE_MESSAGE(at != std::string_view::npos, text);
    return at;
}

Bytes shortened(Bytes file, std::size_t bytes) {
    file.resize(file.size() - bytes);
    return file;
}

// For any container: cut, grown, or the first byte lost. `ends` says whether the container knows where it ends.
void check_cuts(const std::string &name, const Bytes &file, bool ends = true) {
    for (const std::size_t bytes : {1, 2, 3, 4, 8, 100, 4096, 500'000})
        CHECK_FALSE(check_bound(fmt::format("{} cut by {}", name, bytes), shortened(file, bytes)));
    CHECK_FALSE(check_bound(name + " without its first byte", Bytes(file.begin() + 1, file.end())));
    Bytes longer = file;
    longer.push_back(std::byte{0});
    const bool right = check_bound(name + " with one more byte", longer);
    if (ends) CHECK_FALSE(right);
}

void check_fails(const std::string &what, const Bytes &file) {
    CHECK_FALSE(check_bound(what, file));
}

} // namespace

TEST_CASE("memory: damaged safetensors") {
    for (const bool state : {false, true}) {
        const Bytes file = state ? state_like() : safetensors_file(model_of_a_megabyte());
        CHECK(check_bound("as it is", file) != state);
        check_cuts("safetensors", file);
        const auto length = number_at<std::uint64_t>(file, 0);
        for (const std::uint64_t other :
             {length + 1, length - 1, length + 8, std::uint64_t{0}, std::uint64_t{99'999'999}, std::uint64_t{1} << 63,
              UINT64_MAX, UINT64_MAX - 7})
            check_fails(fmt::format("a header of {} bytes", other), with_number(file, 0, other));
        check_fails("a type", replaced(file, "\"F32\"", "\"F64\""));
        check_fails("half the type", replaced(file, "\"F32\"", "\"F16\""));
        check_fails("a field", replaced(file, "shape", "shapf"));
        check_fails("an offset", replaced(file, "\"data_offsets\":[0,", "\"data_offsets\":[1,"));
        check_fails("a bracket", replaced(file, "}}", "]}"));
        check_fails("a quote", replaced(file, "\"dtype\"", "'dtype\""));
        check_fails("a name twice", state ? replaced(file, "\"blocks.0.ffn_x\"", "\"blocks.1.ffn_x\"")
                                          : replaced(file, "\"blocks.0.ln1.weight\"", "\"blocks.0.ln2.weight\""));
        check_fails("a shape", state ? replaced(file, "[10, 64, 64]", "[99, 99, 99]")
                                     : replaced(file, "[128, 128]", "[999, 999]"));
    }
    const Bytes values = with_number(safetensors_file(model_of_a_megabyte()), 700'000, std::uint32_t{0x7fc00000});
    CHECK(check_bound("a value", values));
}

TEST_CASE("memory: damaged gguf") {
    const auto model = model_of_a_megabyte();
    for (const bool verbatim : {false, true}) {
        GgufBuilder builder = verbatim ? verbatim_model(model, "rwkv7a") : llama_cpp_model(model, "rwkv7", 32);
        builder.add_text("tokenizer.ggml.model", "rwkv");
        builder.add_texts("tokenizer.ggml.tokens", {"<s>", "a", "b"});
        const Bytes file = builder.file();
        CHECK(check_bound("as it is", file));
        check_cuts("gguf", file, false);
        const auto tensors = number_at<std::uint64_t>(file, 8), entries = number_at<std::uint64_t>(file, 16);
        for (const std::uint64_t other :
             {tensors + 1, tensors - 1, std::uint64_t{0}, std::uint64_t{100'000}, std::uint64_t{1} << 40, UINT64_MAX})
            check_fails(fmt::format("{} tensors", other), with_number(file, 8, other));
        for (const std::uint64_t other :
             {entries + 1, entries - 1, std::uint64_t{0}, std::uint64_t{65536}, std::uint64_t{1} << 40, UINT64_MAX})
            check_fails(fmt::format("{} entries", other), with_number(file, 16, other));
        for (const std::uint32_t other : {0U, 1U, 4U, 0x3000000U})
            check_fails(fmt::format("version {}", other), with_number(file, 4, other));
        const std::size_t tokens = find(file, "tokenizer.ggml.tokens") + 21; // u32 array, u32 text, u64 count, texts
        for (const std::uint64_t other : {std::uint64_t{4}, std::uint64_t{1} << 20, UINT64_MAX / 8, UINT64_MAX})
            check_fails(fmt::format("{} tokens", other), with_number(file, tokens + 8, other));
        for (const std::uint64_t other : {std::uint64_t{4}, std::uint64_t{1} << 20, UINT64_MAX})
            check_fails(fmt::format("a token of {} bytes", other), with_number(file, tokens + 16, other));
        check_fails("an array of arrays", with_number(file, tokens + 4, std::uint32_t{9}));
        check_fails("an unknown type", with_number(file, tokens, std::uint32_t{13}));
        const std::string name = verbatim ? "blocks.1.ffn.key.weight" : "blk.1.channel_mix_key.weight";
        const std::size_t at = find(file, name) + name.size(); // u32 axes, u64 each, u32 type, u64 offset
        for (const std::uint32_t axes : {0U, 1U, 3U, 4U, 5U, UINT32_MAX})
            check_fails(fmt::format("{} axes", axes), with_number(file, at, axes));
        for (const std::uint64_t size : {std::uint64_t{0}, std::uint64_t{129}, std::uint64_t{1} << 62, UINT64_MAX})
            check_fails(fmt::format("an axis of {}", size), with_number(file, at + 4, size));
        for (const std::uint32_t type : {1U, 8U, 31U, UINT32_MAX})
            check_bound(fmt::format("type {}", type), with_number(file, at + 20, type));
        for (const std::uint64_t offset : {std::uint64_t{1}, std::uint64_t{0}, std::uint64_t{1} << 60, UINT64_MAX - 31})
            check_fails(fmt::format("offset {}", offset), with_number(file, at + 24, offset));
        check_fails("a name's length", with_number(file, at - name.size() - 8, std::uint64_t{name.size() + 1}));
        check_fails("a name twice", verbatim ? replaced(file, "blocks.0.ln1.weight", "blocks.0.ln2.weight")
                                             : replaced(file, "blk.0.attn_norm.weight", "blk.1.attn_norm.weight"));
    }
}

TEST_CASE("memory: damaged rwkv.cpp files") {
    const Bytes file = ggml_bin_file(rwkv_cpp_model(model_of_a_megabyte(), "7.0"));
    CHECK(check_bound("as it is", file));
    check_cuts("rwkv.cpp", file);
    for (const std::uint32_t version : {0U, 99U, 102U, UINT32_MAX})
        check_fails(fmt::format("version {}", version), with_number(file, 4, version));
    const std::string name = "blocks.1.ffn.key.weight"; // before it u32 axes, name bytes, type, sizes
    const std::size_t at = find(file, name) - 20;
    for (const std::uint32_t other : {0U, 1U, 3U, 5U, UINT32_MAX}) {
        check_fails(fmt::format("{} axes", other), with_number(file, at, other));
        check_fails(fmt::format("a name of {} bytes", other), with_number(file, at + 4, other));
        check_fails(fmt::format("an axis of {}", other), with_number(file, at + 12, other));
        check_fails(fmt::format("another axis of {}", other), with_number(file, at + 16, other));
    }
    for (const std::uint32_t type : {1U, 2U, 4U, 9U, 10U, UINT32_MAX})
        check_fails(fmt::format("type {}", type), with_number(file, at + 8, type));
    check_fails("a name twice", replaced(file, "blocks.0.ln1.weight", "blocks.0.ln2.weight"));
    CHECK(check_bound("a value", with_number(file, at + 4000, 1.0f)));
}

TEST_CASE("memory: damaged pth") {
    const auto model = model_of_a_megabyte();
    for (const bool deflate : {false, true}) {
        CAPTURE(deflate);
        const Bytes file = pth_file(model, {.deflate = deflate});
        CHECK(check_bound("as it is", file));
        check_cuts("pth", file);
        const std::size_t end = find_last(file, "PK\5\6"), end64 = find_last(file, "PK\6\6"),
                          central = find_last(file, "archive/data/3") - 46, local = find(file, "archive/data/3") - 30;
        for (const int count : {0, 1, 0xfffe})
            check_fails(fmt::format("{} entries", count),
                        with_number(file, end + 10, static_cast<std::uint16_t>(count)));
        for (const std::uint64_t other : {std::uint64_t{0}, std::uint64_t{1} << 32, UINT64_MAX}) {
            check_fails(fmt::format("{} entries", other), with_number(file, end64 + 32, other));
            check_fails(fmt::format("a directory of {} bytes", other), with_number(file, end64 + 40, other));
            check_fails(fmt::format("a directory at {}", other), with_number(file, end64 + 48, other));
        }
        for (const std::uint32_t other : {0U, 1U, 100'000'000U, 0xfffffffeU, UINT32_MAX}) {
            check_fails(fmt::format("compressed to {}", other), with_number(file, central + 20, other));
            check_fails(fmt::format("a size of {}", other), with_number(file, central + 24, other));
            check_fails(fmt::format("an entry at {}", other), with_number(file, central + 42, other));
            check_fails(fmt::format("a local size of {}", other & ~1U),
                        with_number(file, local + 22, (other & ~1U) | 2));
        }
        for (const int method : {1, 12, 99})
            check_fails("a method", with_number(file, central + 10, static_cast<std::uint16_t>(method)));
        check_fails("the other method", with_number(file, central + 10, std::uint16_t(deflate ? 0 : 8)));
        check_fails("encrypted", with_number(file, central + 8, std::uint16_t{1}));
        check_fails("a name twice", replaced(file, "archive/data/3", "archive/data/4"));
        // What is stored is viewed in place, and its CRC left alone.
        CHECK(check_bound("a CRC", with_number(file, central + 16, std::uint32_t{7})) == !deflate);
        check_fails("a key", replaced(file, "storage", "storagf"));
        check_fails("a global", replaced(file, "FloatStorage", "FloatStorbge"));
        check_fails("a call", replaced(file, "_rebuild_tensor_v2", "_rebuild_tensor_v3"));
        check_fails("a protocol", replaced(file, "\x80\x02}", "\x80\x06}"));
        check_fails("a text's length", replaced(file, std::string_view("X\7\0\0\0storage", 12),
                                                std::string_view("X\7\0\0\xffstorage", 12)));
    }
}

TEST_CASE("memory: pickles that were made to exhaust it") {
    using namespace pickled;
    const std::string put_all = "q\1", empty_tuple = ")";
    const auto fill = [](std::string start, const std::function<std::string(std::size_t)> &more) {
        for (std::size_t i = 0; start.size() < kMegabyte; ++i) start += more(i);
        return start;
    };
    const auto always = [&](std::string start, std::string more) {
        return fill(std::move(start), [&](std::size_t) { return more; });
    };
    const std::string rebuild = global("torch._utils", "_rebuild_tensor_v2") + "q" + std::string(1, '\0');
    const std::string arguments =
        "(" + tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), integer(4)}) + "Q" +
        integer(0) + "(" + std::string("K\1K\1K\1K\1K\1K\1K\1K\1") + "tq\2" + "h\2" + no() + ordered_dict() + "t" +
        put_all;
    const std::vector<std::pair<std::string, std::string>> bombs = {
        {"values", std::string(kMegabyte, 'N')},
        {"the same value", "N" + std::string(kMegabyte, '2')},
        {"groups", std::string(kMegabyte, '(')},
        {"groups and values", always("", "(N")},
        {"empty lists", std::string(kMegabyte, ']')},
        {"empty dictionaries", std::string(kMegabyte, '}')},
        {"one tuple inside the other", "N" + std::string(kMegabyte, '\x85')},
        {"three times the one before", always("N", "222\x87")},
        {"lists one inside the other", always("]", "]2a")},
        {"a list that grows", always("]", "Na")},
        {"a list that takes the stack, again and again", "]" + always("", "(NNNNNNNNe")},
        {"dictionary entries", always("}", "NNs")},
        {"small dictionaries", always("", "}NNs")},
        {"one far place in the memo", "Nr\x3f\x42\x0f" + std::string(1, '\0')},
        {"the memo's last place, then the stack",
         "Nr\x3f\x42\x0f" + std::string(1, '\0') + std::string(kMegabyte, 'N')},
        {"the memo", "N" + std::string(kMegabyte, '\x94')},
        {"stack and memo", always("", "N\x94")},
        {"half a stack, then dictionaries", std::string(kMegabyte / 2, 'N') + always("", "}NNs").substr(kMegabyte / 2)},
        {"tensors", always(rebuild + arguments, "h" + std::string(1, '\0') + "h\1R0")},
        {"tensors kept", always(rebuild + arguments, "h" + std::string(1, '\0') + "h\1R")},
        {"ordered dictionaries",
         always(global("collections", "OrderedDict") + "q" + std::string(1, '\0') + ")" + put_all,
                "h" + std::string(1, '\0') + "h\1R")},
        {"storages",
         always(tuple({text("storage"), global("torch", "FloatStorage"), text("0"), text("cpu"), integer(4)}) + put_all,
                "h\1Q")},
        {"tensors with names",
         fill(rebuild + arguments + "0}(",
              [](std::size_t i) { return text(fmt::format("{:x}", i)) + "h" + std::string(1, '\0') + "h\1R"; }) +
             "u"},
        {"a text of four gigabytes", "X\xff\xff\xff\xff"},
        {"a text of more", "\x8d\xff\xff\xff\xff\xff\xff\xff\x7f"},
        {"bytes", "B\xff\xff\xff\x7f"},
        {"a long integer", "\x8a\xff"},
        {"a longer integer", "\x8b\xff\xff\xff\x7f"},
        {"a frame", "\x95\xff\xff\xff\xff\xff\xff\xff\x7f"},
        {"an array in a buffer", "\x96\xff\xff\xff\xff\xff\xff\xff\x7f"},
    };
    std::string noisy = rebuild + arguments + "0}("; // what deflates fourfold only may be larger than the file
    std::uint32_t state = 1;
    while (noisy.size() < 4 * kMegabyte)
        noisy += text(fmt::format("{:x}", state = state * 1664525 + 1013904223)) + "h" + std::string(1, '\0') + "h\1R";
    check_fails("a large pickle, deflated",
                ZipBuilder().add("a/data.pkl", pickle(noisy + "u"), {.deflate = true}).finish());
    for (const auto &[what, program] : bombs) {
        const Bytes whole_pickle = pickle(program);
        check_fails("pickle: " + what, pth_file(whole_pickle, {small_storage()}));
        check_fails(
            "deflated pickle: " + what,
            ZipBuilder().add("a/data.pkl", whole_pickle, {.deflate = true}).add("a/data/0", small_storage()).finish());
    }
}

TEST_CASE("memory: archives that were made to exhaust it") {
    const auto pickle_of = [](std::int64_t elements) {
        return pickled::pickle(
            pickled::dict({{pickled::text("t"), pickled::tensor("FloatStorage", "0", elements, 0, {elements}, {1})}}));
    };
    for (const std::size_t megabytes : {8, 60}) {
        const Bytes zeros(megabytes << 20, std::byte{0});
        check_fails(fmt::format("a tensor of {} MiB of zeros", megabytes),
                    pth_file(pickle_of(static_cast<std::int64_t>(zeros.size() / 4)), {zeros}, {.deflate = true}));
        check_fails(fmt::format("a pickle of {} MiB of zeros", megabytes),
                    ZipBuilder().add("a/data.pkl", zeros, {.deflate = true}).finish());
    }
    // The same beside what does not compress: a file of a megabyte may claim more than one of a hundred kilobytes.
    Bytes noise(kMegabyte);
    std::uint32_t state = 1;
    for (std::byte &byte : noise) byte = static_cast<std::byte>((state = state * 1664525 + 1013904223) >> 24);
    for (const std::size_t megabytes : {30, 100}) {
        const Bytes zeros(megabytes << 20, std::byte{0});
        const Bytes program = pickle_of(static_cast<std::int64_t>(zeros.size() / 4));
        check_fails(fmt::format("{} MiB of zeros beside noise", megabytes),
                    ZipBuilder()
                        .add("a/data.pkl", program)
                        .add("a/data/0", zeros, {.deflate = true})
                        .add("a/noise", noise)
                        .finish());
        check_fails(fmt::format("a pickle of {} MiB beside noise", megabytes),
                    ZipBuilder().add("a/data.pkl", zeros, {.deflate = true}).add("a/noise", noise).finish());
    }
    ZipBuilder many;
    for (int i = 0; i < 9000; ++i) many.add(fmt::format("a/{}", i), {});
    check_fails("thousands of entries", many.finish());
}

TEST_CASE("memory: headers that were made to exhaust it") {
    const auto safetensors = [](const std::string &header) { return safetensors_file(header, 0); };
    const auto listed = [](const std::string &before, const std::function<std::string(int)> &one,
                           const std::string &after) {
        std::string text = before;
        for (int i = 0; text.size() < kMegabyte; ++i) text += (i == 0 ? "" : ",") + one(i);
        return text + after;
    };
    check_fails("brackets", safetensors(std::string(kMegabyte, '[')));
    check_fails("braces", safetensors(std::string(kMegabyte, '{')));
    check_fails("a nest of objects", safetensors("{\"a\":" + std::string(kMegabyte, '{')));
    check_fails("metadata", safetensors(listed(
                                "{\"__metadata__\":{", [](int i) { return fmt::format("\"{:x}\":\"\"", i); }, "}}")));
    check_fails("tensors", safetensors(listed(
                               "{",
                               [](int i) {
                                   return fmt::format(
                                       R"("{:x}":{{"dtype":"F32","shape":[0,0,0,0,0,0,0,0],"data_offsets":[0,0]}})", i);
                               },
                               "}")));
    check_fails("axes", safetensors(listed(R"({"a":{"shape":[)", [](int) { return "1"; }, "]}}")));
    check_fails("a long name", safetensors("{\"" + std::string(kMegabyte, 'a') + "\":1}"));

    GgufBuilder entries;
    entries.add_text("general.architecture", "rwkv7");
    for (std::uint32_t i = 0; i < 40'000; ++i) entries.add_u32(fmt::format("{:x}", i), i);
    entries.rows.push_back({"token_embd.weight", {1, 4}, 0, Bytes(16)});
    check_fails("gguf entries", entries.file());
    GgufBuilder rows;
    rows.add_text("general.architecture", "rwkv7");
    for (int i = 0; i < 14'000; ++i) rows.rows.push_back({fmt::format("{:x}", i), {1, 1, 1, 1}, 0, Bytes(4)});
    check_fails("gguf tensors", rows.file());
    const auto tokens = [](std::size_t count, std::size_t size) {
        GgufBuilder file;
        file.add_text("general.architecture", "rwkv7");
        file.add_text("tokenizer.ggml.model", "rwkv");
        std::vector<std::string> texts;
        std::uint32_t state = 1;
        for (std::size_t i = 0; i < count; ++i) {
            std::string text;
            while (text.size() < size)
                text += static_cast<char>('!' + ((state = state * 1664525 + 1013904223) >> 24) % 50);
            texts.push_back(std::move(text));
        }
        file.add_texts("tokenizer.ggml.tokens", texts);
        file.rows.push_back({"token_embd.weight", {1, count}, 0, Bytes(4 * count)});
        return file.file();
    };
    check_fails("tokens without text", tokens(85'000, 0));
    check_fails("tokens of a byte", tokens(80'000, 1));
    check_fails("tokens of a kilobyte", tokens(1000, 1024));
    check_fails("a token of a megabyte", tokens(1, kMegabyte));

    std::vector<BinRow> bin;
    for (int i = 0; i < 30'000; ++i) bin.push_back({fmt::format("{:x}", i), 0, {1, 1}, Bytes(4)});
    check_fails("rwkv.cpp tensors", ggml_bin_file(bin));
    check_fails("one matrix of blocks, turned",
                ggml_bin_file({{"blocks.0.att.r_k", 0, {1}, Bytes(4)},
                               {"blocks.0.att.w1", 2, {32, 58'000}, Bytes(18 * 58'000)}}));
}

TEST_CASE("memory: vocabularies that were made to exhaust it") {
    const auto check = [](const std::string &what, const std::function<Result<std::unique_ptr<Tokenizer>>()> &make) {
        CAPTURE(what);
        const std::size_t peak = peak_of([&] {
            const auto tokenizer = make();
            if (!tokenizer.ok()) check_sentence(tokenizer.error(), "x");
        });
        INFO((peak >> 20), " MiB");
        CHECK(peak <= kLimit);
    };
    const auto json = [&](const std::string &what, const std::string &text) {
        check(what, [&] { return make_20b_tokenizer("x", text); });
    };
    const auto with = [](const std::string &vocab, const std::string &merges, const std::string &added = "[]") {
        return R"({"normalizer":{"type":"NFC"},"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false},)"
               R"("model":{"type":"BPE","vocab":)" +
               vocab + ",\"merges\":" + merges + "},\"added_tokens\":" + added + "}";
    };
    const auto listed = [](const std::string &before, const std::function<std::string(int)> &one,
                           const std::string &after) {
        std::string text = before;
        for (int i = 0; text.size() < kMegabyte; ++i) text += (i == 0 ? "" : ",") + one(i);
        return text + after;
    };
    for (const char *item : {"[]", "{}", "0", "\"\"", "[[]]", "[0]", "{\"\":0}"}) {
        json(std::string("a list of ") + item, listed(
                                                   "{\"a\":[", [&](int) { return item; }, "]}"));
        json(std::string("merges of ") + item, with("{}", listed(
                                                              "[", [&](int) { return item; }, "]")));
        json(std::string("added tokens of ") + item, with("{}", "[]",
                                                          listed(
                                                              "[", [&](int) { return item; }, "]")));
    }
    json("brackets", std::string(kMegabyte, '['));
    json("keys", listed(
                     "{", [](int i) { return fmt::format("\"{:x}\":0", i); }, "}"));
    json("a vocabulary", with(listed(
                                  "{", [](int i) { return fmt::format("\"{:x}\":{}", i, i); }, "}"),
                              "[]"));
    json("one high id", with("{\"a\":1048575}", "[]"));
    json("a vocabulary and a high id",
         with(listed(
                  "{\"a\":1048575,", [](int i) { return fmt::format("\"{:x}\":{}", i + 256, i); }, "}"),
              "[]"));
    json("merges", with(R"({"a":0,"aa":1})", listed(
                                                 "[", [](int) { return "\"a a\""; }, "]")));

    const auto world = [&](const std::string &what, const std::string &text) {
        check(what, [&] { return make_world_tokenizer("x", text); });
    };
    std::string lines;
    for (int byte = 0; byte < 256; ++byte) lines += fmt::format("{} b'\\x{:02x}' 1\n", byte + 1, byte);
    std::string short_ones = lines, long_ones = lines;
    for (int id = 257; id < 65536 && short_ones.size() < kMegabyte; ++id)
        short_ones += fmt::format("{} '{:04x}' 4\n", id, id);
    for (int id = 257; long_ones.size() < kMegabyte; ++id)
        long_ones += fmt::format("{} '{:04x}{}' 1024\n", id, id, std::string(1020, static_cast<char>('a' + id % 20)));
    world("lines", short_ones);
    world("long lines", long_ones);
    world("one line", "1 '" + std::string(kMegabyte, 'a') + "' 1048576\n");
    world("no lines", std::string(kMegabyte, '\n'));
}
