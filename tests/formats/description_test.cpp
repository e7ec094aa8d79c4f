// Every version is told by names and shapes, and described in full.
#include "loader/description.h"
#include "loader/layout.h"
#include "tests/formats/builders/model_builder.h"

#include <algorithm>
#include <set>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

constexpr std::string_view kVersions[] = {"4.0", "5.0", "5.1", "5.2", "6.0", "7.0", "7a"};

ModelDescription description_of(const std::vector<NamedTensor> &model) {
    const Bytes file = safetensors_file(model);
    const auto description = describe(*opened(file));
    REQUIRE_MESSAGE(description.ok(), (description.ok() ? "" : description.error().message));
    return *description;
}

} // namespace

TEST_CASE("describe: every version") {
    for (const std::string_view version : kVersions) {
        CAPTURE(version);
        const std::vector<NamedTensor> model = small_model(version);
        const ModelDescription found = description_of(model);
        CHECK(label_of(found.version) == version);
        CHECK(found.layers == 2);
        CHECK(found.width == 16);
        CHECK(found.attention_width == 16);
        CHECK(found.ffn_width == 24);
        CHECK(found.vocabulary == 11);
        const bool seven = version.starts_with("7");
        CHECK(found.heads == (version == "4.0" ? 0 : 4));
        CHECK(found.head_size == (version == "4.0" ? 0 : 4));
        CHECK(found.rank_w == (seven || version == "6.0" ? 2 : 0));
        CHECK(found.rank_a == (seven ? 3 : 0));
        CHECK(found.rank_v == (seven ? 5 : 0));
        CHECK(found.rank_g == (seven ? 6 : 0));
        CHECK(found.rank_mix == (version == "6.0" ? 3 : 0));
        CHECK(found.gate == (version != "4.0" && version != "5.0"));
        CHECK(found.exponential_bonus == (version == "5.0"));
        std::uint64_t parameters = 0;
        for (const NamedTensor &tensor : model) parameters += tensor.info.elements();
        CHECK(found.parameters == parameters);
        CHECK(found.bytes == 4 * parameters);
        CHECK(found.bytes_by_dtype == std::map<DType, std::uint64_t>{{DType::f32, 4 * parameters}});
    }
}

TEST_CASE("describe: the layout is the list of an official file") {
    for (const std::string_view version : kVersions) {
        CAPTURE(version);
        const std::vector<NamedTensor> model = small_model(version);
        std::set<std::string> official, expected;
        for (const NamedTensor &tensor : model) official.insert(tensor.info.name);
        for (const ExpectedTensor &tensor : expected_tensors(description_of(model))) {
            CHECK(expected.insert(tensor.name).second);
            CHECK(tensor.optional == (tensor.name.starts_with("blocks.0.att.v") && !tensor.name.ends_with(".weight")));
        }
        CHECK(official == expected);
    }
}

TEST_CASE("describe: the order of tensors says nothing") {
    for (const std::string_view version : kVersions) {
        std::vector<NamedTensor> model = small_model(version);
        std::reverse(model.begin(), model.end());
        CHECK(label_of(description_of(model).version) == version);
    }
}

TEST_CASE("describe: vectors as [C] and as [1, 1, C]") {
    for (const std::string_view version : kVersions) {
        CAPTURE(version);
        for (const bool flat : {false, true}) {
            std::vector<NamedTensor> model = small_model(version);
            for (NamedTensor &tensor : model) {
                auto &shape = tensor.info.shape;
                if (flat && shape.size() == 3 && shape[0] == 1 && shape[1] == 1) shape = {shape[2]};
                if (!flat && shape.size() == 1) shape = {1, 1, shape[0]};
            }
            CHECK(label_of(description_of(model).version) == version);
        }
    }
}

TEST_CASE("describe: layer 0 of version 7 may lack v0, v1, v2, or have them in any shape") {
    for (const std::string_view version : {"7.0", "7a"}) {
        std::vector<NamedTensor> model = small_model(version);
        set_shape(model, "blocks.0.att.v1", {3, 7});
        CHECK(description_of(model).rank_v == 5);
        remove(model, "blocks.0.att.v0");
        CHECK(description_of(model).rank_v == 5);
        remove(model, "blocks.0.att.v1");
        remove(model, "blocks.0.att.v2");
        CHECK(description_of(model).rank_v == 5);
    }
}

TEST_CASE("describe: version 5's gate and bonus are separate properties") {
    std::vector<NamedTensor> model = small_model("5.0");
    rename(model, "time_first", "time_faaaa");
    ModelDescription found = description_of(model);
    CHECK(label_of(found.version) == "5.0");
    CHECK_FALSE(found.exponential_bonus);
    model = small_model("5.1");
    rename(model, "time_faaaa", "time_first");
    found = description_of(model);
    CHECK(label_of(found.version) == "5.1");
    CHECK(found.exponential_bonus);
}

TEST_CASE("describe: an attention width of its own") {
    std::vector<NamedTensor> model = small_model("7.0");
    for (NamedTensor &tensor : model) { // A = 24: three heads of 8
        const std::string name = tensor.info.name.substr(tensor.info.name.rfind("att.") == std::string::npos ? 0 : 13);
        auto &shape = tensor.info.shape;
        if (tensor.info.name.find(".att.") == std::string::npos || name.starts_with("x_")) continue;
        if (name == "r_k")
            shape = {3, 8};
        else if (name == "output.weight")
            shape = {16, 24};
        else if (name == "receptance.weight" || name == "key.weight" || name == "value.weight")
            shape = {24, 16};
        else if (name.ends_with("1"))
            continue;
        else
            shape.back() = 24;
        tensor.bytes.resize(tensor.info.bytes());
    }
    const ModelDescription found = description_of(model);
    CHECK(found.width == 16);
    CHECK(found.attention_width == 24);
    CHECK(found.heads == 3);
    CHECK(found.head_size == 8);
}

TEST_CASE("find_tensor") {
    const Bytes file = safetensors_file({f32_tensor("a", {1}, {1}), f32_tensor("b", {1}, {2})});
    const auto source = opened(file);
    CHECK(find_tensor(*source, "b") == std::optional<std::size_t>(1));
    CHECK_FALSE(find_tensor(*source, "c").has_value());
}
