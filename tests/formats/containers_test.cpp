// The same model in every container is the same model: description, names, shapes, values.
#include "loader/description.h"
#include "loader/layout.h"
#include "tests/formats/builders/ggml_bin_builder.h"
#include "tests/formats/builders/gguf_builder.h"
#include "tests/formats/builders/model_builder.h"
#include "tests/formats/builders/pth_builder.h"

#include <cmath>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

ModelDescription described(const TensorSource &source) {
    const auto found = describe(source);
    REQUIRE_MESSAGE(found.ok(), (found.ok() ? "" : found.error().message));
    return *found;
}

bool unused(std::string_view name) {
    return name == "blocks.0.att.v0" || name == "blocks.0.att.v1" || name == "blocks.0.att.v2";
}

// Exact, but for what went through an exponential: there a float32 has lost digits.
void check_same(const TensorSource &got, const TensorSource &want, bool exponentials = false) {
    const ModelDescription a = described(got), b = described(want);
    CHECK(label_of(a.version) == label_of(b.version));
    CHECK(a.layers == b.layers);
    CHECK(a.width == b.width);
    CHECK(a.heads == b.heads);
    CHECK(a.head_size == b.head_size);
    CHECK(a.ffn_width == b.ffn_width);
    CHECK(a.vocabulary == b.vocabulary);
    CHECK(a.rank_w == b.rank_w);
    CHECK(a.rank_v == b.rank_v);
    CHECK(a.gate == b.gate);
    CHECK(a.exponential_bonus == b.exponential_bonus);
    std::size_t compared = 0;
    for (const TensorInfo &info : want.tensors()) {
        if (unused(info.name) && !find_tensor(got, info.name)) continue;
        CAPTURE(info.name);
        ++compared;
        const auto index = find_tensor(got, info.name);
        REQUIRE(index.has_value());
        CHECK(got.tensors()[*index].shape == info.shape);
        const std::vector<float> left = values_of(got, info.name), right = values_of(want, info.name);
        const bool lossy = exponentials && (info.name.ends_with("time_decay") || info.name.ends_with("time_first"));
        int wrong = 0;
        for (std::size_t i = 0; i < right.size(); ++i)
            if (lossy ? !(std::fabs(left[i] - right[i]) <= 2e-4f) : left[i] != right[i]) ++wrong;
        CHECK(wrong == 0);
    }
    CHECK(compared == got.tensors().size());
}

std::vector<NamedTensor> tensors_of(const TensorSource &source) {
    std::vector<NamedTensor> tensors;
    for (std::size_t i = 0; i < source.tensors().size(); ++i) {
        const auto read = source.read(i);
        REQUIRE(read.ok());
        tensors.push_back({source.tensors()[i], Bytes(read->bytes().begin(), read->bytes().end())});
    }
    return tensors;
}

std::string_view architecture_of(std::string_view version) {
    if (version == "4.0") return "rwkv4";
    if (version.starts_with("5")) return "rwkv5";
    if (version == "6.0") return "rwkv6";
    return version == "7a" ? "rwkv7a" : "rwkv7";
}

Bytes gguf_of(const std::vector<NamedTensor> &model, std::string_view version, std::uint32_t head_size) {
    const bool llama_cpp = version == "6.0" || version == "7.0";
    return llama_cpp ? llama_cpp_model(model, architecture_of(version), head_size, 1).file()
                     : verbatim_model(model, architecture_of(version)).file();
}

} // namespace

TEST_CASE("containers: every version") {
    for (const std::string_view version : {"4.0", "5.0", "5.1", "5.2", "6.0", "7.0", "7a"}) {
        CAPTURE(version);
        const std::vector<NamedTensor> model = filled_model(version);
        const Bytes safetensors = safetensors_file(model), pth = pth_file(model), gguf = gguf_of(model, version, 4);
        const auto official = opened(safetensors);
        check_same(*opened(pth), *official);
        check_same(*opened(gguf), *official);
        CHECK(opened(gguf)->container() == "gguf");
        if (version == "7a") continue; // rwkv.cpp has none
        const Bytes bin = ggml_bin_file(rwkv_cpp_model(model, version));
        check_same(*opened(bin), *official, true);
        CHECK(opened(bin)->container() == "rwkv.cpp");
    }
}

TEST_CASE("containers: what was only renamed is a view") {
    const std::vector<NamedTensor> model = filled_model("7.0");
    const Bytes gguf = gguf_of(model, "7.0", 4), bin = ggml_bin_file(rwkv_cpp_model(model, "7.0"));
    for (const Bytes *file : {&gguf, &bin}) {
        const auto source = opened(*file);
        for (std::size_t i = 0; i < source->tensors().size(); ++i) {
            const std::string &name = source->tensors()[i].name;
            CAPTURE(name);
            const bool low_rank = name[name.size() - 1] == '1' || name[name.size() - 1] == '2';
            CHECK(source->read(i)->is_view() == !low_rank);
        }
    }
}

TEST_CASE("containers: RWKV-6 divided by powers of two") {
    const std::vector<NamedTensor> model = filled_model("6.0");
    const Bytes safetensors = safetensors_file(model);
    for (const std::uint32_t every : {0u, 1u, 2u, 6u}) {
        const Bytes gguf = llama_cpp_model(model, "rwkv6", 4, every).file();
        check_same(*opened(gguf), *opened(safetensors));
        const auto source = opened(gguf);
        CHECK(source->read(*find_tensor(*source, "blocks.1.att.output.weight"))->is_view() == (every != 1));
    }
}

TEST_CASE("containers: the shared models") {
    struct Model {
        const char *name, *version;
        std::uint32_t head_size;
    };
    for (const Model &model :
         {Model{"synth-4", "4.0", 0}, Model{"synth-5.0", "5.0", 64}, Model{"synth-5.1", "5.1", 64},
          Model{"synth-5.2", "5.2", 64}, Model{"synth-6", "6.0", 64}, Model{"synth-7", "7.0", 64},
          Model{"synth-7a", "7a", 64}, Model{"tiny-rwkv-4v0", "4.0", 0}, Model{"tiny-rwkv-5v1", "5.0", 8},
          Model{"tiny-rwkv-5v2", "5.2", 8}, Model{"tiny-rwkv-6v0", "6.0", 8}, Model{"tiny-rwkv-7v0", "7.0", 64}}) {
        CAPTURE(model.name);
        const auto path = shared_file("models/" + std::string(model.name) + ".safetensors");
        if (!path) continue;
        auto opening = open_tensor_source(*path);
        REQUIRE(opening.ok());
        const TensorSource &official = **opening;
        const std::vector<NamedTensor> tensors = tensors_of(official);
        const Bytes gguf = gguf_of(tensors, model.version, model.head_size);
        check_same(*opened(gguf), official);
        if (std::string_view(model.version) != "7a") {
            const Bytes bin = ggml_bin_file(rwkv_cpp_model(tensors, model.version));
            check_same(*opened(bin), official, true);
        }
    }
    for (const std::string name : {"synth-6", "tiny-rwkv-7v0"}) {
        CAPTURE(name);
        const auto gguf = shared_file("models/" + name + ".gguf"),
                   safetensors = shared_file("models/" + name + ".safetensors");
        if (!gguf || !safetensors) continue;
        const auto a = open_tensor_source(*gguf), b = open_tensor_source(*safetensors);
        REQUIRE_MESSAGE(a.ok(), (a.ok() ? "" : a.error().message));
        REQUIRE(b.ok());
        check_same(**a, **b);
    }
}
