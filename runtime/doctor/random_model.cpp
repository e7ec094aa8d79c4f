#include "runtime/doctor/random_model.h"

#include "loader/layout.h"
#include "loader/quant/formats.h"
#include "runtime/reference/random.h"
#include "runtime/reference/small_floats.h"

#include <cmath>
#include <cstring>
#include <nlohmann/json.hpp>

namespace ff::doctor {
namespace {

using reference::Random, reference::to_bfloat16, reference::to_half;

// Mean and deviation such that activations stay of order one at any depth, by what the tensor is for.
std::pair<double, double> distribution(const loader::ExpectedTensor &tensor) {
    const std::string_view name = tensor.name;
    const auto ends = [&](std::string_view end) { return name.ends_with(end); };
    if (ends("emb.weight")) return {0.0, 1.0};
    if (tensor.shape.size() == 2 && ends(".weight"))
        return {0.0, 1.0 / std::sqrt(static_cast<double>(tensor.shape[1]))};
    if (tensor.shape.size() >= 2) return {0.0, 0.3}; // low-rank pairs, r_k, bonus
    if (ends("bias")) return {0.0, 0.1};
    if (ends("weight")) return {1.0, 0.2}; // norms
    if (name.find(".x_") != name.npos || name.find("time_mix_") != name.npos) return {0.5, 0.25};
    if (ends("k_k") || ends("k_a")) return {0.9, 0.1};
    return {0.0, 0.7}; // decays and biases
}

// Another source, with its embedding in a block format.
class BlockTable final : public loader::TensorSource {
  public:
    BlockTable(std::unique_ptr<loader::TensorSource> source, loader::DType type)
        : source_(std::move(source)), tensors_(source_->tensors().begin(), source_->tensors().end()) {
        for (std::size_t i = 0; i < tensors_.size(); ++i)
            if (tensors_[i].name == "emb.weight") tensors_[table_ = i].dtype = type;
    }
    const std::string &path() const override { return source_->path(); }
    std::string_view container() const override { return source_->container(); }
    std::span<const loader::TensorInfo> tensors() const override { return tensors_; }
    const std::map<std::string, std::string> &metadata() const override { return source_->metadata(); }
    Result<loader::TensorBytes> read(std::size_t index) const override {
        if (index != table_) return source_->read(index);
        FF_TRY_ASSIGN(const loader::TensorBytes stored, source_->read(index));
        std::vector<float> values(tensors_[index].elements());
        loader::to_float32(source_->tensors()[index].dtype, stored.bytes(), values);
        std::vector<std::byte> blocks(tensors_[index].bytes());
        loader::encode(tensors_[index].dtype, values, blocks);
        return loader::TensorBytes(std::move(blocks));
    }

  private:
    std::unique_ptr<loader::TensorSource> source_;
    std::vector<loader::TensorInfo> tensors_;
    std::size_t table_ = SIZE_MAX;
};

} // namespace

std::unique_ptr<loader::TensorSource> with_block_table(std::unique_ptr<loader::TensorSource> source, loader::DType type) {
    return std::make_unique<BlockTable>(std::move(source), type);
}

std::vector<std::byte> random_model(const loader::ModelDescription &shape, loader::DType dtype, std::uint64_t seed) {
    nlohmann::ordered_json header;
    std::vector<std::byte> data;
    Random random(seed);
    for (const loader::ExpectedTensor &tensor : loader::expected_tensors(shape)) {
        std::uint64_t elements = 1;
        for (const std::uint64_t size : tensor.shape) elements *= size;
        const auto [mean, deviation] = distribution(tensor);
        const std::vector<float> values = random.vector(elements, deviation, mean);
        const std::size_t begin = data.size(), size = loader::bytes_per_element(dtype);
        data.resize(begin + elements * size);
        for (std::size_t i = 0; i < elements; ++i) {
            const std::uint16_t half = dtype == loader::DType::f16 ? to_half(values[i]) : to_bfloat16(values[i]);
            const void *from = dtype == loader::DType::f32 ? static_cast<const void *>(&values[i]) : &half;
            std::memcpy(data.data() + begin + i * size, from, size);
        }
        const char *name = dtype == loader::DType::f32 ? "F32" : dtype == loader::DType::f16 ? "F16" : "BF16";
        header[tensor.name] = {{"dtype", name}, {"shape", tensor.shape}, {"data_offsets", {begin, data.size()}}};
    }
    const std::string text = header.dump();
    const std::uint64_t length = text.size();
    std::vector<std::byte> file(8 + text.size());
    std::memcpy(file.data(), &length, 8);
    std::memcpy(file.data() + 8, text.data(), text.size());
    file.insert(file.end(), data.begin(), data.end());
    return file;
}

loader::ModelDescription odd_shape(loader::Version version) {
    loader::ModelDescription shape;
    shape.version = version;
    shape.layers = 2;
    shape.width = shape.attention_width = 72;
    shape.ffn_width = 200;
    shape.vocabulary = 83;
    if (version != loader::Version::v4_0) {
        shape.heads = 3;
        shape.head_size = 24;
    }
    const bool seven = version == loader::Version::v7_0 || version == loader::Version::v7a;
    shape.gate = version != loader::Version::v4_0 && version != loader::Version::v5_0;
    shape.exponential_bonus = version == loader::Version::v5_0;
    if (seven) {
        shape.rank_w = 5;
        shape.rank_a = 8;
        shape.rank_v = 3;
        shape.rank_g = 17;
    } else if (version == loader::Version::v6_0) {
        shape.rank_mix = 6;
        shape.rank_w = 9;
    }
    return shape;
}

loader::ModelDescription block_shape(loader::Version version) {
    loader::ModelDescription shape = odd_shape(version);
    shape.width = shape.attention_width = 256;
    shape.ffn_width = 512;
    if (shape.heads != 0) {
        shape.heads = 8;
        shape.head_size = 32;
    }
    return shape;
}

} // namespace ff::doctor
