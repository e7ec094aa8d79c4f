// A model that is not whole, not exact, or not known is refused, naming the tensor.
#include "loader/description.h"
#include "loader/layout.h"
#include "tests/formats/builders/model_builder.h"

#include <algorithm>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

constexpr std::string_view kVersions[] = {"4.0", "5.0", "5.1", "5.2", "6.0", "7.0", "7a"};

Error description_error(const std::vector<NamedTensor> &model) {
    const Bytes file = safetensors_file(model);
    return error_of(describe(*opened(file)));
}

void check_refused(const std::vector<NamedTensor> &model, Status status,
                   std::initializer_list<std::string_view> parts) {
    check_error(description_error(model), "x", status, parts);
}

bool is_optional(std::string_view name) {
    return name.starts_with("blocks.0.att.v") && !name.ends_with(".weight");
}

} // namespace

TEST_CASE("describe: every tensor removed in turn") {
    for (const std::string_view version : kVersions) {
        const std::vector<NamedTensor> model = small_model(version);
        for (const NamedTensor &tensor : model) {
            CAPTURE(version);
            CAPTURE(tensor.info.name);
            if (is_optional(tensor.info.name)) continue;
            std::vector<NamedTensor> cut = model;
            remove(cut, tensor.info.name);
            check_sentence(description_error(cut), "x");
        }
    }
}

TEST_CASE("describe: every tensor of another shape in turn") {
    for (const std::string_view version : kVersions) {
        const std::vector<NamedTensor> model = small_model(version);
        for (const NamedTensor &tensor : model) {
            if (is_optional(tensor.info.name)) continue;
            for (std::size_t axis = 0; axis <= tensor.info.shape.size(); ++axis) {
                CAPTURE(version);
                CAPTURE(tensor.info.name);
                CAPTURE(axis);
                std::vector<std::uint64_t> shape = tensor.info.shape;
                if (axis == shape.size())
                    shape.push_back(2); // one axis too many
                else
                    ++shape[axis];
                std::vector<NamedTensor> wrong = model;
                set_shape(wrong, tensor.info.name, shape);
                check_sentence(description_error(wrong), "x");
            }
        }
    }
}

TEST_CASE("describe: a missing tensor, a wrong shape, an unknown tensor say which") {
    std::vector<NamedTensor> model = small_model("7.0");
    remove(model, "blocks.1.att.key.weight");
    check_refused(model, Status::model_file, {"tensor blocks.1.att.key.weight is missing", "RWKV-7.0"});
    model = small_model("7.0");
    set_shape(model, "blocks.1.att.key.weight", {16, 48});
    CHECK(description_error(model).message ==
          "x: tensor blocks.1.att.key.weight is [16, 48] f32, this model needs [16, 16]; "
          "was the file cut or converted?");
    model = small_model("7.0");
    add(model, "blocks.1.att.new\nthing", {3});
    model.back().info.name = "blocks.1.att.new_thing";
    check_refused(model, Status::unsupported, {"tensor blocks.1.att.new_thing [3] is unknown", "RWKV-7.0"});
    model = small_model("4.0");
    add(model, "emb.bias", {3});
    check_refused(model, Status::unsupported, {"tensor emb.bias [3] is unknown", "RWKV-4.0"});
}

TEST_CASE("describe: layers are contiguous and numbered as usual") {
    for (const std::string_view version : kVersions) {
        CAPTURE(version);
        std::vector<NamedTensor> model = small_model(version);
        rename(model, "blocks.1.", "blocks.2.");
        check_refused(model, Status::model_file, {"blocks.1."});
    }
    for (const std::string_view number :
         {"01", "1024", "99999999999999999999", "-1", "", "x", "1x", "+1", "0x1", " 1"}) {
        CAPTURE(number);
        std::vector<NamedTensor> model = small_model("7.0");
        rename(model, "blocks.1.", "blocks." + std::string(number) + ".");
        check_refused(model, Status::model_file, {"layer number"});
    }
    std::vector<NamedTensor> model = small_model("7.0");
    rename(model, "blocks.1.", "blocks.1023.");
    check_refused(model, Status::model_file, {"blocks.1."});
}

TEST_CASE("describe: relatives that need more than this engine has") {
    std::vector<NamedTensor> model = small_model("7a");
    add(model, "blocks.0.qkv.qq.weight", {4, 4});
    check_refused(model, Status::unsupported, {"blocks.0.qkv.qq.weight", "RWKV-7b"});
    model = small_model("7.0");
    add(model, "blocks.1.ffn.enn.weight", {11, 16});
    check_refused(model, Status::unsupported, {"blocks.1.ffn.enn.weight", "RWKV-8"});
    model = small_model("7.0");
    add(model, "blocks.1.rosa.weight", {11, 16});
    check_refused(model, Status::unsupported, {"blocks.1.rosa.weight", "ROSA"});
    model = small_model("7.0");
    add(model, "blocks.1.att.key.lora_A", {2, 16});
    check_refused(model, Status::unsupported, {"blocks.1.att.key.lora_A", "LoRA"});
    std::vector<NamedTensor> states;
    for (const char *name : {"blocks.0.att.time_state", "blocks.1.att.time_state"}) add(states, name, {4, 4, 4});
    check_refused(states, Status::unsupported, {"blocks.0.att.time_state", "initial state"});
    std::vector<NamedTensor> other;
    add(other, "model.layers.0.attn.r_proj.weight", {4, 4});
    check_refused(other, Status::unsupported, {"model.layers.0.attn.r_proj.weight", "RWKV"});
}

TEST_CASE("describe: head sizes that cannot be run") {
    const auto with_heads = [](std::uint64_t heads, std::uint64_t size) {
        std::vector<NamedTensor> model = small_model("7.0");
        for (const char *layer : {"0", "1"})
            set_shape(model, std::string("blocks.") + layer + ".att.r_k", {heads, size});
        return model;
    };
    check_refused(with_heads(8, 2), Status::unsupported, {"r_k", "heads of 2", "multiple of 4"});
    check_refused(with_heads(3, 5), Status::model_file, {"r_k", "[3, 5]", "attention width of 16"});
    check_refused(with_heads(0, 4), Status::model_file, {"r_k", "[0, 4]"});
    check_refused(with_heads(32, 0), Status::model_file, {"r_k"});
    std::vector<NamedTensor> wide = small_model("5.0"); // one head of 260
    for (NamedTensor &tensor : wide) {
        for (std::uint64_t &size : tensor.info.shape) {
            if (size == 16) size = 260;
            if (size == 4) size = 1;
        }
        tensor.bytes.resize(tensor.info.bytes());
    }
    check_refused(wide, Status::unsupported, {"heads of 260", "up to 256"});
}

TEST_CASE("describe: dimensions that are nothing or too much") {
    std::vector<NamedTensor> model = small_model("7.0");
    set_shape(model, "emb.weight", {0, 16});
    check_refused(model, Status::model_file, {"emb.weight", "[0, 16]"});
    model = small_model("7.0");
    set_shape(model, "blocks.0.att.w1", {16, 0});
    check_refused(model, Status::model_file, {"blocks.0.att.w1"});
    model = small_model("7.0"); // [2^31, 0] claims a width without holding a byte
    set_shape(model, "blocks.0.ffn.key.weight", {1ull << 31, 0});
    check_refused(model, Status::model_file, {"blocks.0.ffn.key.weight"});
}
