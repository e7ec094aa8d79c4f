#include "loader/formats/gguf_layout.h"

#include "loader/formats/gguf_names.h"
#include "loader/text.h"

#include <algorithm>
#include <fmt/format.h>

namespace ff::loader {

namespace {

class Layouter {
  public:
    Layouter(const TensorSource &source, const ModelDescription &model, std::optional<DType> weights,
             std::span<const TypeRule> rules)
        : source_(source), architecture_(gguf_architecture(model.version)), weights_(weights), rules_(rules) {}

    Result<std::vector<GgufPart>> all() {
        const bool verbatim = architecture_ != "rwkv6" && architecture_ != "rwkv7";
        for (std::size_t i = 0; i < source_.tensors().size(); ++i) {
            if (verbatim) {
                FF_TRY(add(i, source_.tensors()[i].name, source_.tensors()[i].shape, GgufForm::matrix));
            } else {
                FF_TRY(take(i));
            }
        }
        return std::move(parts_);
    }

  private:
    // The names of llama.cpp's tensors that it takes as f32 only, although they are no vectors.
    static bool must_be_f32(std::string_view name) {
        for (const std::string_view only : {"time_mix_first.weight", "time_mix_w1.weight", "time_mix_w2.weight",
                                            "time_mix_decay_w1.weight", "time_mix_decay_w2.weight"})
            if (name.ends_with(only)) return true;
        return false;
    }

    // What a rule says of a tensor that has to be f32.
    Result<void> check_f32(const TensorInfo &stored) const {
        const TypeRule *rule = rule_for(stored.name, rules_);
        if (rule == nullptr || rule->type == DType::f32) return {};
        return Error{
            Status::argument,
            fmt::format("{}: the pattern {} makes tensor {} {}, but llama.cpp takes it as f32 only; narrow the "
                        "pattern, or put one that keeps it f32 before",
                        printable(source_.path()), printable(rule->pattern), printable(stored.name),
                        name_of(rule->type))};
    }

    Result<void> add(std::size_t index, std::string name, std::vector<std::uint64_t> shape, GgufForm form) {
        const TensorInfo &stored = source_.tensors()[index];
        // Rows are those of the file, where low-rank matrices lie the other way.
        const Storage storage = storage_of({stored.name, stored.dtype, shape}, weights_, rules_);
        GgufPart part{
            {std::move(name), storage.dtype, std::move(shape)}, {index}, form == GgufForm::turned, storage.fallback};
        const bool vector = form == GgufForm::norm || form == GgufForm::vector || form == GgufForm::heads;
        if (vector || must_be_f32(part.info.name)) {
            FF_TRY(check_f32(stored));
            part.info.dtype = DType::f32;
        }
        const bool as_turned = part.turned && rule_for(stored.name, rules_) == nullptr;
        if (as_turned && block_elements(part.info.dtype) != 1) part.info.dtype = DType::f32; // as turned() leaves it
        parts_.push_back(std::move(part));
        return {};
    }

    Result<void> take(std::size_t index) {
        const TensorInfo &stored = source_.tensors()[index];
        std::string stem = stored.name, suffix = ".weight";
        for (const std::string_view known : {".weight", ".bias"})
            if (stem.ends_with(known)) {
                suffix = known;
                stem.erase(stem.size() - known.size());
            }
        for (const GgufName &name : gguf_model_names())
            if (name.official == stem) {
                return add(index, std::string(name.file) + suffix, flat(stored, name.form), name.form);
            }
        constexpr std::size_t kBlocks = 7; // "blocks."
        const std::size_t dot = stem.find('.', kBlocks);
        if (!stem.starts_with("blocks.") || dot == stem.npos) return nameless(stored);
        const std::string layer = stem.substr(kBlocks, dot - kBlocks), prefix = fmt::format("blk.{}.", layer);
        stem.erase(0, dot + 1);
        const bool seven = architecture_ == "rwkv7";
        if (seven && layer == "0" && (stem == "att.v0" || stem == "att.v1" || stem == "att.v2")) return {};
        const GgufFused fused = gguf_fused(architecture_);
        if (stem.size() == fused.prefix.size() + 1 && stem.starts_with(fused.prefix) &&
            fused.letters.find(stem.back()) != fused.letters.npos)
            return stem.back() == fused.letters.front() ? add_fused(layer, prefix, fused) : Result<void>();
        for (const GgufName &name : gguf_layer_names(architecture_)) {
            if (name.official != stem) continue;
            FF_TRY(add(index, prefix + std::string(name.file) + suffix, flat(stored, name.form), name.form));
            // llama.cpp wants layer 0 to have v0, v1, v2 of the shapes of a0, a1, a2, and never uses them.
            if (seven && layer == "0" && (stem == "att.a0" || stem == "att.a1" || stem == "att.a2"))
                return add(index, fmt::format("{}time_mix_v{}.weight", prefix, stem.back()), flat(stored, name.form),
                           name.form);
            return {};
        }
        return nameless(stored);
    }

    std::vector<std::uint64_t> flat(const TensorInfo &stored, GgufForm form) const {
        std::vector<std::uint64_t> shape = stored.shape;
        switch (form) {
        case GgufForm::norm:
        case GgufForm::vector:
            return {stored.elements()};
        case GgufForm::heads: // 7's r_k is a vector there, 6's time_faaaa is not
            if (architecture_ == "rwkv7") return {stored.elements()};
            return shape;
        case GgufForm::turned:
            std::swap(shape.back(), shape[shape.size() - 2]);
            return shape;
        case GgufForm::matrix:
            break;
        }
        return shape;
    }

    Result<void> add_fused(const std::string &layer, const std::string &prefix, const GgufFused &fused) {
        GgufPart part;
        std::uint64_t width = 0;
        for (const char letter : fused.letters) {
            const auto found = find_tensor(source_, fmt::format("blocks.{}.{}{}", layer, fused.prefix, letter));
            if (!found)
                return Error{Status::internal, fmt::format("{}: blocks.{}.{}{} was there when the file was described",
                                                           printable(source_.path()), layer, fused.prefix, letter)};
            FF_TRY(check_f32(source_.tensors()[*found]));
            width = source_.tensors()[*found].elements();
            part.parts.push_back(*found);
        }
        part.info = {prefix + std::string(kGgufFusedName) + ".weight", DType::f32, {part.parts.size(), 1, 1, width}};
        parts_.push_back(std::move(part));
        return {};
    }

    Error nameless(const TensorInfo &stored) const {
        return Error{Status::internal, fmt::format("{}: tensor {} has no name in a GGUF file of {}",
                                                   printable(source_.path()), printable(stored.name), architecture_)};
    }

    const TensorSource &source_;
    std::string_view architecture_;
    std::optional<DType> weights_;
    std::span<const TypeRule> rules_;
    std::vector<GgufPart> parts_;
};

} // namespace

std::string_view gguf_architecture(Version version) {
    switch (version) {
    case Version::v4_0:
        return "rwkv4";
    case Version::v5_0:
    case Version::v5_1:
    case Version::v5_2:
        return "rwkv5";
    case Version::v6_0:
        return "rwkv6";
    case Version::v7_0:
        return "rwkv7";
    case Version::v7a:
        return "rwkv7a";
    }
    return "?";
}

Result<std::vector<GgufPart>> gguf_layout(const TensorSource &source, const ModelDescription &model,
                                          std::optional<DType> weights, std::span<const TypeRule> rules) {
    return Layouter(source, model, weights, rules).all();
}

} // namespace ff::loader
