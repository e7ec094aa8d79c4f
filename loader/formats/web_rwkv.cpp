#include "loader/formats/web_rwkv.h"

#include "loader/description.h"
#include "loader/formats/turn.h"

#include <algorithm>
#include <array>

namespace ff::loader {

namespace {

constexpr std::array kTurned6 = {".att.time_maa_w1", ".att.time_maa_w2", ".att.time_decay_w1", ".att.time_decay_w2"};
constexpr std::array kTurned7 = {".att.w1", ".att.w2", ".att.a1", ".att.a2",
                                 ".att.g1", ".att.g2", ".att.v1", ".att.v2"};

const TensorInfo *find(const TensorSource &source, std::string_view name) {
    const auto index = find_tensor(source, name);
    return index ? &source.tensors()[*index] : nullptr;
}

std::uint64_t width_of(const TensorSource &source) {
    const TensorInfo *embedding = find(source, "emb.weight");
    return embedding != nullptr && embedding->shape.size() == 2 ? embedding->shape[1] : 0;
}

// [rank, width] where official files have [width, rank].
bool is_turned(const TensorInfo *down, std::uint64_t width) {
    return down != nullptr && width != 0 && down->shape.size() == 2 && down->shape[0] != width &&
           down->shape[1] == width;
}

bool is_renamed_5(const TensorSource &source) { // 5.2, whose bonus is one a channel; 5.0's time_first is one a head
    const TensorInfo *bonus = find(source, "blocks.0.att.time_first");
    return bonus != nullptr && find(source, "blocks.0.att.time_mix_x") == nullptr && bonus->shape.size() == 2 &&
           bonus->shape[1] > 1;
}
bool is_renamed_6(const TensorSource &source) {
    return find(source, "blocks.0.att.time_mix_x") != nullptr && find(source, "blocks.0.att.time_mix_w1") != nullptr;
}
bool is_turned_7(const TensorSource &source) {
    return is_turned(find(source, "blocks.0.att.w1"), width_of(source));
}

void replace(std::string &name, std::string_view from, std::string_view to) {
    if (const auto at = name.find(from); at != name.npos) name.replace(at, from.size(), to);
}

class WebRwkvSource final : public TensorSource {
  public:
    explicit WebRwkvSource(std::unique_ptr<TensorSource> stored) : stored_(std::move(stored)) {
        const bool six = is_renamed_6(*stored_);
        // Early converters of version 6 turned nothing but what its runtime asked them to: the shape says it.
        const bool turned6 = six && is_turned(find(*stored_, "blocks.0.att.time_mix_w1"), width_of(*stored_));
        const bool turned7 = is_turned_7(*stored_);
        for (TensorInfo tensor : stored_->tensors()) {
            if (six) replace(tensor.name, ".time_mix_", ".time_maa_");
            if (six || is_renamed_5(*stored_)) replace(tensor.name, ".time_first", ".time_faaaa");
            const auto ends_as = [&](const char *end) { return tensor.name.ends_with(end); };
            const bool turned = (turned6 && std::any_of(kTurned6.begin(), kTurned6.end(), ends_as)) ||
                                (turned7 && std::any_of(kTurned7.begin(), kTurned7.end(), ends_as));
            if (turned && tensor.shape.size() >= 2)
                std::swap(tensor.shape.back(), tensor.shape[tensor.shape.size() - 2]);
            turned_.push_back(turned && tensor.shape.size() >= 2);
            tensors_.push_back(std::move(tensor));
        }
    }

    const std::string &path() const override { return stored_->path(); }
    std::string_view container() const override { return stored_->container(); }
    std::span<const TensorInfo> tensors() const override { return tensors_; }
    const std::map<std::string, std::string> &metadata() const override { return stored_->metadata(); }

    Result<TensorBytes> read(std::size_t index) const override {
        FF_TRY_ASSIGN(TensorBytes bytes, stored_->read(index));
        if (!turned_[index]) return bytes;
        return TensorBytes(turned(stored_->tensors()[index], bytes.bytes()));
    }

  private:
    std::unique_ptr<TensorSource> stored_;
    std::vector<TensorInfo> tensors_;
    std::vector<bool> turned_;
};

} // namespace

bool is_web_rwkv(const TensorSource &source) {
    return is_renamed_5(source) || is_renamed_6(source) || is_turned_7(source);
}

std::unique_ptr<TensorSource> undo_web_rwkv(std::unique_ptr<TensorSource> source) {
    return std::make_unique<WebRwkvSource>(std::move(source));
}

} // namespace ff::loader
