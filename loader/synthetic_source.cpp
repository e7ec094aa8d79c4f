#include "loader/synthetic_source.h"

#include "loader/layout.h"
#include "loader/quant/formats.h"
#include "loader/quant/policy.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <fmt/format.h>
#include <mutex>

namespace ff::loader {

namespace {

constexpr std::size_t kTableElements = 1U << 16; // whole blocks of every type, and small enough to stay in a cache
constexpr std::size_t kPieceElements = 1U << 13; // copied from one place of the table

// splitmix64 (Steele, Lea, Flood 2014): any seed is a good one.
class Random {
  public:
    explicit Random(std::uint64_t seed) : state_(seed) {}
    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31U);
    }
    // Mean 0, variance 1, bell-shaped: the sum of four 16-bit uniforms.
    float bell() {
        const std::uint64_t word = next();
        const auto sum =
            static_cast<float>((word & 0xffffU) + (word >> 16U & 0xffffU) + (word >> 32U & 0xffffU) + (word >> 48U));
        return (sum - 2.0F * 65535.0F) * (std::sqrt(3.0F) / 65536.0F);
    }

  private:
    std::uint64_t state_;
};

struct Distribution {
    float mean, deviation;
    auto operator<=>(const Distribution &) const = default;
};

// What training leaves, roughly: means are those that RWKV-LM starts from, and matrices map unit variance to the given
// one. Those that training starts at zero have an ordinary scale.
Distribution distribution_of(const TensorInfo &tensor) {
    struct Rule {
        std::string_view end;
        Distribution values;
    };
    static constexpr Rule kVectors[] = {
        {".ln_x.weight", {0.6F, 0.05F}}, {".bias", {0.0F, 0.1F}},      {"time_decay", {-3.0F, 1.0F}},
        {"time_first", {-2.0F, 0.4F}},   {"time_faaaa", {0.5F, 0.3F}}, {"att.w0", {-3.0F, 1.5F}},
        {"att.a0", {-0.2F, 0.3F}},       {"att.v0", {0.7F, 0.2F}},     {"att.k_k", {0.7F, 0.1F}},
        {"att.k_a", {1.0F, 0.05F}},      {"att.r_k", {-0.04F, 0.1F}},  {"emb.weight", {0.0F, 0.3F}},
    };
    static constexpr Rule kGains[] = {
        {"head.weight", {0.0F, 2.0F}},      {"att.key.weight", {0.0F, 0.5F}}, {"att.output.weight", {0.0F, 0.5F}},
        {"ffn.value.weight", {0.0F, 0.4F}}, {".weight", {0.0F, 1.0F}},        {"", {0.0F, 0.5F}},
    };
    const auto rule = [&](std::span<const Rule> rules) -> std::optional<Distribution> {
        for (const Rule &candidate : rules)
            if (tensor.name.ends_with(candidate.end)) return candidate.values;
        return std::nullopt;
    };
    if (const auto found = rule(kVectors)) return *found;
    if (tensor.shape.size() == 1)
        return tensor.name.ends_with(".weight") ? Distribution{1.0F, 0.1F}  // norms
                                                : Distribution{0.5F, 0.2F}; // mixes
    const bool output_major = tensor.name.ends_with(".weight");             // low-rank pairs are not
    const std::uint64_t inputs = output_major ? tensor.shape.back() : tensor.shape[tensor.shape.size() - 2];
    return {0.0F, rule(kGains)->deviation / std::sqrt(static_cast<float>(inputs))};
}

class SyntheticSource final : public TensorSource {
  public:
    SyntheticSource(const Preset &preset, DType weights) : path_(fmt::format("[{}, random weights]", preset.name)) {
        const DType rest = block_elements(weights) == 1 ? weights : DType::f16;
        for (ExpectedTensor &expected : expected_tensors(shape_of(preset))) {
            if (expected.optional) continue;
            TensorInfo tensor{std::move(expected.name), rest, std::move(expected.shape)};
            const Role role = role_of(tensor.name);
            if ((role == Role::matrix || role == Role::head) && tensor.shape.back() % block_elements(weights) == 0)
                tensor.dtype = weights;
            tensors_.push_back(std::move(tensor));
        }
        Random random(1);
        values_.resize(kTableElements);
        for (float &value : values_) value = random.bell();
    }

    const std::string &path() const override { return path_; }
    std::string_view container() const override { return "synthetic"; }
    std::span<const TensorInfo> tensors() const override { return tensors_; }
    const std::map<std::string, std::string> &metadata() const override { return metadata_; }

    Result<TensorBytes> read(std::size_t index) const override {
        if (index >= tensors_.size())
            return Error{Status::argument, fmt::format("{}: tensor {} of {}", path_, index, tensors_.size())};
        return random_bytes(index, tensors_[index].bytes());
    }
    std::optional<TensorBytes> stand_in(std::size_t index, std::uint64_t bytes) const override {
        return random_bytes(index, bytes);
    }

  private:
    TensorBytes random_bytes(std::size_t index, std::uint64_t count) const {
        const TensorInfo &tensor = tensors_[index];
        const Format &format = format_of(tensor.dtype);
        const std::vector<std::byte> &table = table_of(tensor.dtype, distribution_of(tensor));
        const std::size_t piece = kPieceElements / format.elements * format.bytes;
        const std::size_t places = (table.size() - piece) / format.bytes + 1;
        std::vector<std::byte> bytes;
        bytes.reserve(count);
        Random random(index);
        while (bytes.size() < count) {
            const std::byte *from = table.data() + random.next() % places * format.bytes;
            bytes.insert(bytes.end(), from, from + std::min<std::uint64_t>(piece, count - bytes.size()));
        }
        return TensorBytes(std::move(bytes));
    }

    // The random values with this mean and deviation, as stored. Layers share them, and encoding blocks takes long.
    const std::vector<std::byte> &table_of(DType dtype, Distribution values) const {
        const std::lock_guard lock(mutex_);
        std::vector<std::byte> &table = tables_[{dtype, values}];
        if (table.empty()) {
            std::vector<float> scaled(values_.size());
            std::ranges::transform(values_, scaled.begin(),
                                   [&](float value) { return values.mean + values.deviation * value; });
            const Format &format = format_of(dtype);
            table.resize(scaled.size() / format.elements * format.bytes);
            encode(dtype, scaled, table);
        }
        return table; // a map's values stay where they are
    }

    std::string path_;
    std::vector<TensorInfo> tensors_;
    std::map<std::string, std::string> metadata_;
    std::vector<float> values_;
    mutable std::mutex mutex_;
    mutable std::map<std::pair<DType, Distribution>, std::vector<std::byte>> tables_;
};

} // namespace

Result<std::unique_ptr<TensorSource>> synthetic_source(const Preset &preset, DType weights) {
    return std::make_unique<SyntheticSource>(preset, weights);
}

} // namespace ff::loader
