// Adapters merged into their base model.
#include "loader/description.h"
#include "loader/lora.h"
#include "loader/quant/formats.h"
#include "tests/formats/builders/model_builder.h"
#include "tests/formats/builders/pth_builder.h"

#include <cmath>

using namespace ff;
using namespace ff::loader;
using namespace ff::loader::test;

namespace {

constexpr std::string_view kMatrix = "blocks.1.att.key.weight"; // [16, 16]

std::vector<float> ramp(std::size_t count, float step) {
    std::vector<float> values(count);
    for (std::size_t i = 0; i < count; ++i) values[i] = step * (static_cast<float>(i % 7) - 3);
    return values;
}

const std::vector<float> kDown = ramp(2 * 16, 0.25f), kUp = ramp(16 * 2, 0.5f);

std::vector<NamedTensor> adapter() {
    return {f32_tensor("blocks.1.att.key.lora_A", {2, 16}, kDown), f32_tensor("blocks.1.att.key.lora_B", {16, 2}, kUp)};
}

Result<std::unique_ptr<TensorSource>> merge(const Bytes &base, const Bytes &other,
                                            std::optional<double> alpha = std::nullopt) {
    return merge_lora(opened(base), opened(other), alpha);
}

void check_refused(const std::vector<NamedTensor> &other, std::initializer_list<std::string_view> parts) {
    const Bytes base = safetensors_file(filled_model("7.0")), file = safetensors_file(other);
    check_error(error_of(merge(base, file)), "x", Status::model_file, parts);
}

} // namespace

TEST_CASE("lora: W + alpha / rank * B A") {
    const Bytes base = safetensors_file(filled_model("7.0")), pth = pth_file(adapter());
    for (const std::optional<double> alpha :
         {std::optional<double>(), std::optional<double>(8), std::optional<double>(-3)}) {
        const auto merged = merge(base, pth, alpha);
        REQUIRE_MESSAGE(merged.ok(), (merged.ok() ? "" : merged.error().message));
        CHECK(describe(**merged).ok());
        const auto original = opened(base);
        for (const TensorInfo &info : original->tensors()) {
            CAPTURE(info.name);
            std::vector<float> expected = values_of(*original, info.name);
            if (info.name == kMatrix)
                for (std::size_t row = 0; row < 16; ++row)
                    for (std::size_t column = 0; column < 16; ++column)
                        for (std::size_t k = 0; k < 2; ++k)
                            expected[row * 16 + column] += static_cast<float>(
                                (alpha ? *alpha / 2 : 1.0) * kUp[row * 2 + k] * kDown[k * 16 + column]);
            const std::vector<float> found = values_of(**merged, info.name);
            int wrong = 0;
            for (std::size_t i = 0; i < found.size(); ++i)
                if (!(std::fabs(found[i] - expected[i]) <= (info.name == kMatrix ? 1e-5f : 0.0f))) ++wrong;
            CHECK(wrong == 0);
        }
    }
}

TEST_CASE("lora: plain types are kept, blocks become f32") {
    std::vector<NamedTensor> model = filled_model("7.0");
    NamedTensor &matrix = tensor_named(model, kMatrix);
    matrix.info.dtype = DType::f16;
    matrix.bytes = words({});
    for (int i = 0; i < 256; ++i) append_le<std::uint16_t>(matrix.bytes, 0x3C00); // 1.0
    const Bytes base = safetensors_file(model), file = safetensors_file(adapter());
    const auto merged = merge(base, file);
    REQUIRE(merged.ok());
    const auto index = find_tensor(**merged, kMatrix);
    CHECK((*merged)->tensors()[*index].dtype == DType::f16);
    CHECK(values_of(**merged, kMatrix)[0] == 1 + kUp[0] * kDown[0] + kUp[1] * kDown[16]);
}

TEST_CASE("lora: whole tensors replace the base's") {
    std::vector<NamedTensor> other = adapter();
    other.push_back(f32_tensor("blocks.0.ln1.weight", {16}, std::vector<float>(16, 2.5f)));
    other.push_back(f32_tensor("blocks.0.att.x_r", {16}, std::vector<float>(16, 0.5f))); // [1, 1, 16] in the base
    const Bytes base = safetensors_file(filled_model("7.0")), file = safetensors_file(other);
    const auto merged = merge(base, file);
    REQUIRE(merged.ok());
    CHECK(describe(**merged).ok());
    CHECK(values_of(**merged, "blocks.0.ln1.weight") == std::vector<float>(16, 2.5f));
    CHECK(values_of(**merged, "blocks.0.att.x_r") == std::vector<float>(16, 0.5f));
    CHECK((*merged)->read(1000).ok() == false);
}

TEST_CASE("lora: what does not fit is named") {
    std::vector<NamedTensor> other = adapter();
    other.pop_back();
    check_refused(other, {"blocks.1.att.key.lora_A", "lora_B"});
    other = adapter();
    other.erase(other.begin());
    check_refused(other, {"blocks.1.att.key.lora_B", "lora_A"});
    other = adapter();
    rename(other, "blocks.1", "blocks.2");
    check_refused(other, {"blocks.2.att.key.lora_A", "blocks.2.att.key.weight", "does not have"});
    other = adapter();
    set_shape(other, "blocks.1.att.key.lora_A", {16, 2});
    check_refused(other, {"blocks.1.att.key.lora_A", "[16, 2]", "[16, 16]"});
    other = adapter();
    set_shape(other, "blocks.1.att.key.lora_A", {3, 16});
    check_refused(other, {"[3, 16]"});
    other = adapter();
    set_shape(other, "blocks.1.att.key.lora_A", {0, 16});
    set_shape(other, "blocks.1.att.key.lora_B", {16, 0});
    check_refused(other, {"[0, 16]"});
    other = adapter();
    rename(other, "att.key", "ln1");
    check_refused(other, {"blocks.1.ln1.lora_A"});
    other = adapter();
    add(other, std::string(kMatrix), {16, 16});
    check_refused(other, {std::string(kMatrix), "both"});
    check_refused({f32_tensor("blocks.0.ln1.weight", {8}, std::vector<float>(8))},
                  {"blocks.0.ln1.weight", "[8]", "[16]"});
    check_refused({f32_tensor("unknown", {1}, {1})}, {"unknown", "does not have"});
    const Bytes base = safetensors_file(filled_model("7.0")), file = safetensors_file(adapter());
    check_error(error_of(merge(base, file, NAN)), "x", Status::argument, {"alpha", "nan"});
}

TEST_CASE("lora: the base stays with who shares it, and a second adapter goes on top of the first") {
    const Bytes file = safetensors_file(filled_model("7.0")), first = safetensors_file(adapter()),
                wrong = safetensors_file({f32_tensor("nothing.lora_A", {2, 16}, kDown)});
    const std::shared_ptr<const TensorSource> base = opened(file);
    CHECK_FALSE(merge_lora(base, opened(wrong)).ok());
    CHECK(describe(*base).ok());
    const auto once = merge_lora(base, opened(first));
    REQUIRE(once.ok());
    const std::vector<float> one = values_of(**once, kMatrix), none = values_of(*base, kMatrix);
    auto again = merge_lora(base, opened(first));
    const auto twice = merge_lora(std::move(again).value(), opened(first));
    REQUIRE(twice.ok());
    const std::vector<float> two = values_of(**twice, kMatrix);
    int wrong_values = 0;
    for (std::size_t i = 0; i < two.size(); ++i)
        if (!(std::fabs((two[i] - none[i]) - 2 * (one[i] - none[i])) <= 1e-4f)) ++wrong_values;
    CHECK(wrong_values == 0);
}
