#include "loader/lora.h"

#include "loader/guard.h"
#include "loader/layout.h"
#include "loader/quant/formats.h"
#include "loader/text.h"

#include <cmath>
#include <unordered_map>

namespace ff::loader {

namespace {

constexpr std::string_view kDown = ".lora_A", kUp = ".lora_B";

// What becomes of one tensor of the base; indices into the adapter.
struct Change {
    std::optional<std::size_t> down, up, replacement;
};

class MergedSource final : public TensorSource {
  public:
    MergedSource(std::shared_ptr<const TensorSource> base, std::unique_ptr<TensorSource> adapter,
                 std::optional<double> alpha)
        : base_(std::move(base)), adapter_(std::move(adapter)), alpha_(alpha),
          tensors_(base_->tensors().begin(), base_->tensors().end()), changes_(tensors_.size()) {}

    Result<void> load() {
        if (alpha_ && !std::isfinite(*alpha_))
            return Error{Status::argument,
                         fmt::format("{}: the adapter's alpha is {}, expected a finite number; 2 * rank is usual",
                                     printable(adapter_->path()), *alpha_)};
        std::unordered_map<std::string_view, std::size_t> index;
        for (std::size_t i = 0; i < base_->tensors().size(); ++i) index.emplace(base_->tensors()[i].name, i);
        if (adapter_->tensors().empty()) return fail("the file holds no tensors; is it an adapter?");
        for (std::size_t i = 0; i < adapter_->tensors().size(); ++i) {
            const std::string_view name = adapter_->tensors()[i].name;
            const bool down = name.ends_with(kDown), up = name.ends_with(kUp);
            const std::string wanted =
                down || up ? std::string(name.substr(0, name.size() - kDown.size())) + ".weight" : std::string(name);
            const auto found = index.find(wanted);
            if (found == index.end())
                return fail(fmt::format("tensor {} is for {}, which {} does not have; is it an adapter of this model?",
                                        printable(name), printable(wanted), printable(base_->path())));
            Change &change = changes_[found->second];
            (down ? change.down : up ? change.up : change.replacement) = i;
        }
        for (std::size_t i = 0; i < tensors_.size(); ++i) FF_TRY(check(i));
        return {};
    }

    const std::string &path() const override { return base_->path(); }
    std::string_view container() const override { return base_->container(); }
    std::span<const TensorInfo> tensors() const override { return tensors_; }
    const std::map<std::string, std::string> &metadata() const override { return base_->metadata(); }
    Result<std::vector<std::string>> token_texts() const override { return base_->token_texts(); }

    Result<TensorBytes> read(std::size_t index) const override {
        if (index >= tensors_.size() || (!changes_[index].down && !changes_[index].replacement))
            return base_->read(index);
        if (changes_[index].replacement) return adapter_->read(*changes_[index].replacement);
        return guarded(adapter_->path(), "merging a tensor", [&] { return merged(index); });
    }

  private:
    Error fail(const std::string &what) const {
        return Error{Status::model_file, fmt::format("{}: {}", printable(adapter_->path()), what)};
    }

    Result<void> check(std::size_t i) {
        const Change &change = changes_[i];
        TensorInfo &tensor = tensors_[i];
        const auto named = [&](std::size_t which) { return printable(adapter_->tensors()[which].name); };
        if (change.replacement) {
            const TensorInfo &other = adapter_->tensors()[*change.replacement];
            if (change.down || change.up)
                return fail(
                    fmt::format("tensor {} both replaces {} and has a pair for it; which one is meant cannot be "
                                "known",
                                named(*change.replacement), printable(tensor.name)));
            if (!shape_matches(tensor.shape, other.shape) && !shape_matches(other.shape, tensor.shape))
                return fail(fmt::format("tensor {} is {}, the base model's is {}; is it an adapter of this model?",
                                        named(*change.replacement), shape_text(other.shape), shape_text(tensor.shape)));
            tensor = other;
            return {};
        }
        if (!change.down && !change.up) return {};
        if (!change.down || !change.up)
            return fail(fmt::format("tensor {} lacks its other half {}; was the file cut?",
                                    named(change.down ? *change.down : *change.up), change.down ? "lora_B" : "lora_A"));
        const auto &down = adapter_->tensors()[*change.down].shape, &up = adapter_->tensors()[*change.up].shape;
        const bool fit = tensor.shape.size() == 2 && down.size() == 2 && up.size() == 2 && down[0] != 0 &&
                         down[0] == up[1] && up[0] == tensor.shape[0] && down[1] == tensor.shape[1];
        if (!fit)
            return fail(fmt::format("the pair {} {} and lora_B {} does not make {} {}; expected [rank, in] and [out, "
                                    "rank]: is it an adapter of this model?",
                                    named(*change.down), shape_text(down), shape_text(up), printable(tensor.name),
                                    shape_text(tensor.shape)));
        if (block_elements(tensor.dtype) != 1) tensor.dtype = DType::f32;
        return {};
    }

    static Result<std::vector<float>> values(const TensorSource &source, std::size_t index) {
        FF_TRY_ASSIGN(const TensorBytes stored, source.read(index));
        std::vector<float> values(static_cast<std::size_t>(source.tensors()[index].elements()));
        to_float32(source.tensors()[index].dtype, stored.bytes(), values);
        return values;
    }

    Result<TensorBytes> merged(std::size_t index) const {
        const Change &change = changes_[index];
        const TensorInfo &stored = base_->tensors()[index], &out = tensors_[index];
        FF_TRY_ASSIGN(const std::vector<float> down, values(*adapter_, *change.down));
        FF_TRY_ASSIGN(const std::vector<float> up, values(*adapter_, *change.up));
        FF_TRY_ASSIGN(const TensorBytes base, base_->read(index));
        const auto columns = static_cast<std::size_t>(stored.shape[1]),
                   rows = static_cast<std::size_t>(stored.shape[0]);
        const std::size_t rank = down.size() / std::max<std::size_t>(columns, 1);
        const float factor = static_cast<float>(alpha_ ? *alpha_ / static_cast<double>(rank) : 1.0);
        const auto from_row = static_cast<std::size_t>(stored.row_bytes()),
                   to_row = static_cast<std::size_t>(out.row_bytes());
        std::vector<std::byte> bytes(static_cast<std::size_t>(out.bytes()));
        std::vector<float> row(columns);
        for (std::size_t r = 0; r < rows; ++r) {
            to_float32(stored.dtype, base.bytes().subspan(r * from_row, from_row), row);
            for (std::size_t k = 0; k < rank; ++k) {
                const float weight = factor * up[r * rank + k];
                const float *const a = down.data() + k * columns;
                for (std::size_t c = 0; c < columns; ++c) row[c] += weight * a[c];
            }
            encode(out.dtype, row, std::span(bytes).subspan(r * to_row, to_row));
        }
        return TensorBytes(std::move(bytes));
    }

    std::shared_ptr<const TensorSource> base_;
    std::unique_ptr<TensorSource> adapter_;
    std::optional<double> alpha_;
    std::vector<TensorInfo> tensors_;
    std::vector<Change> changes_; // one for each tensor
};

} // namespace

Result<std::unique_ptr<TensorSource>> merge_lora(std::shared_ptr<const TensorSource> base,
                                                 std::unique_ptr<TensorSource> adapter, std::optional<double> alpha) {
    const std::string path = adapter->path();
    return guarded(path, "reading an adapter", [&]() -> Result<std::unique_ptr<TensorSource>> {
        auto merged = std::make_unique<MergedSource>(std::move(base), std::move(adapter), alpha);
        FF_TRY(merged->load());
        return merged;
    });
}

} // namespace ff::loader
