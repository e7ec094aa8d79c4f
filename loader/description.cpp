#include "loader/description.h"

#include "loader/guard.h"
#include "loader/layout.h"
#include "loader/text.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <unordered_map>

namespace ff::loader {

namespace {

constexpr std::uint64_t kLayerLimit = 1024;
constexpr std::uint64_t kDimensionLimit = (1ull << 31) - 1;
constexpr std::uint32_t kHeadSizeLimit = 256;

class Describer {
  public:
    explicit Describer(const TensorSource &source) : source_(source), path_(printable(source.path())) {}

    Result<ModelDescription> describe() {
        const auto tensors = source_.tensors();
        for (std::size_t i = 0; i < tensors.size(); ++i) index_.emplace(tensors[i].name, i);
        FF_TRY(refuse_known_others());
        FF_TRY(find_version());
        FF_TRY(find_layers());
        FF_TRY(find_widths());
        FF_TRY(find_heads());
        FF_TRY(find_ranks());
        FF_TRY(check_all());
        for (const TensorInfo &tensor : tensors) {
            model_.parameters += tensor.elements();
            model_.bytes += tensor.bytes();
            model_.bytes_by_dtype[tensor.dtype] += tensor.bytes();
        }
        return model_;
    }

  private:
    Error fail(Status status, const std::string &what) const {
        return Error{status, fmt::format("{}: {}", path_, what)};
    }

    const TensorInfo *find(std::string_view name) const {
        const auto found = index_.find(name);
        return found == index_.end() ? nullptr : &source_.tensors()[found->second];
    }
    bool has(std::string_view name) const { return find(name) != nullptr; }
    bool has_any(std::initializer_list<std::string_view> suffixes) const {
        return std::any_of(suffixes.begin(), suffixes.end(),
                           [&](std::string_view suffix) { return has(fmt::format("blocks.0.{}", suffix)); });
    }

    Error missing(std::string_view name) const {
        return fail(Status::model_file,
                    fmt::format("tensor {} is missing, this RWKV-{} model needs it; was the file cut or "
                                "converted?",
                                name, label_of(model_.version)));
    }
    Error mismatch(const TensorInfo &found, const std::string &needed) const {
        return fail(Status::model_file,
                    fmt::format("tensor {} is {} {}, this model needs {}; was the file cut or converted?",
                                printable(found.name), shape_text(found.shape), name_of(found.dtype), needed));
    }

    // The tensor `name` with `rank` axes, each a size that a model can have. A vector may be [1, 1, n].
    Result<std::vector<std::uint64_t>> shape_of(std::string_view name, std::size_t rank,
                                                std::string_view needed) const {
        const TensorInfo *tensor = find(name);
        if (tensor == nullptr) return missing(name);
        std::vector<std::uint64_t> shape = tensor->shape;
        if (rank == 1 && shape.size() == 3 && shape[0] == 1 && shape[1] == 1)
            shape.erase(shape.begin(), shape.begin() + 2);
        if (shape.size() != rank) return mismatch(*tensor, std::string(needed));
        for (const std::uint64_t size : shape)
            if (size == 0 || size > kDimensionLimit)
                return mismatch(*tensor, fmt::format("{} with sizes from 1 to {}", needed, kDimensionLimit));
        return shape;
    }

    Result<void> refuse_known_others();
    Result<void> find_version();
    Result<void> find_layers();
    Result<void> find_widths();
    Result<void> find_heads();
    Result<void> find_ranks();
    Result<void> check_all() const;
    bool seven() const { return model_.version == Version::v7_0 || model_.version == Version::v7a; }

    const TensorSource &source_;
    std::string path_; // as it may stand in a message
    std::unordered_map<std::string_view, std::size_t> index_;
    ModelDescription model_;
};

// Relatives of RWKV that have most of its tensors, and would give wrong text without the rest.
Result<void> Describer::refuse_known_others() {
    bool only_states = true;
    for (const TensorInfo &tensor : source_.tensors()) {
        const std::string_view name = tensor.name;
        const std::string shown = printable(name);
        only_states = only_states && name.ends_with(".att.time_state");
        if (!name.starts_with("blocks.")) continue;
        if (name.find(".qkv.") != name.npos)
            return fail(Status::unsupported,
                        fmt::format("tensor {} makes this an RWKV-7b model, whose attention grows with "
                                    "the context; versions 4 to 7 and 7a can be run",
                                    shown));
        if (name.find(".ffn.enn.") != name.npos)
            return fail(Status::unsupported,
                        fmt::format("tensor {} makes this an experimental RWKV-8 model; versions 4 to 7 "
                                    "and 7a can be run",
                                    shown));
        if (name.find("rosa") != name.npos || name.find("ROSA") != name.npos)
            return fail(Status::unsupported,
                        fmt::format("tensor {} makes this an RWKV-8 ROSA model; versions 4 to 7 and 7a "
                                    "can be run",
                                    shown));
        if (name.find("lora_A") != name.npos || name.find("lora_B") != name.npos)
            return fail(Status::unsupported,
                        fmt::format("tensor {} belongs to a LoRA adapter, expected a whole model; merge "
                                    "it into its base model first",
                                    shown));
    }
    if (only_states && !source_.tensors().empty())
        return fail(Status::unsupported,
                    fmt::format("tensor {} and the others are a state-tuned initial state, expected a "
                                "model; load it as a state beside its model",
                                printable(source_.tensors()[0].name)));
    return {};
}

Result<void> Describer::find_version() {
    if (has_any({"att.r_k", "att.x_r", "att.w0", "att.k_k"})) {
        model_.version = has_any({"ffn.s_emb.weight", "ffn.s_emb_x.weight", "ffn.s1"}) ? Version::v7a : Version::v7_0;
        model_.gate = true;
    } else if (has_any({"att.time_maa_x", "att.time_maa_w1", "att.time_decay_w1", "att.time_mix_w1"})) {
        model_.version = Version::v6_0;
        model_.gate = true;
    } else if (has_any({"att.ln_x.weight", "att.gate.weight"})) {
        const TensorInfo *decay = find("blocks.0.att.time_decay");
        const bool per_channel = decay != nullptr && decay->shape.size() == 2 && decay->shape[1] > 1;
        model_.gate = has("blocks.0.att.gate.weight");
        model_.version = per_channel ? Version::v5_2 : model_.gate ? Version::v5_1 : Version::v5_0;
        model_.exponential_bonus = has("blocks.0.att.time_first");
        if (per_channel && !model_.gate) return missing("blocks.0.att.gate.weight");
    } else if (has_any({"att.time_decay", "att.time_first", "att.time_mix_k"})) {
        model_.version = Version::v4_0;
    } else {
        const std::string first = source_.tensors().empty() ? "none" : printable(source_.tensors()[0].name);
        return fail(Status::unsupported,
                    fmt::format("no tensor has the name of an RWKV layer such as blocks.0.att.r_k (the "
                                "first is {}); use the .pth as its authors released it",
                                first));
    }
    return {};
}

// The highest block number decides; a layer that is not whole is then named by its first missing tensor.
Result<void> Describer::find_layers() {
    for (const TensorInfo &tensor : source_.tensors()) {
        constexpr std::string_view kBlocks = "blocks.";
        if (!tensor.name.starts_with(kBlocks)) continue;
        const std::string_view rest = std::string_view(tensor.name).substr(kBlocks.size());
        const std::string_view digits = rest.substr(0, rest.find('.'));
        std::uint64_t layer = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), layer);
        const bool canonical =
            error == std::errc() && end == digits.data() + digits.size() && (digits == "0" || digits.front() != '0');
        if (!canonical || layer >= kLayerLimit)
            return fail(Status::model_file,
                        fmt::format("tensor {} has no layer number from 0 to {}; was the file converted?",
                                    printable(tensor.name), kLayerLimit - 1));
        model_.layers = std::max(model_.layers, static_cast<std::uint32_t>(layer) + 1);
    }
    return {};
}

Result<void> Describer::find_widths() {
    FF_TRY_ASSIGN(const auto embedding, shape_of("emb.weight", 2, "[vocabulary, width]"));
    FF_TRY_ASSIGN(const auto key, shape_of("blocks.0.att.key.weight", 2, "[attention width, width]"));
    FF_TRY_ASSIGN(const auto ffn, shape_of("blocks.0.ffn.key.weight", 2, "[feed-forward width, width]"));
    model_.vocabulary = static_cast<std::uint32_t>(embedding[0]);
    model_.width = static_cast<std::uint32_t>(embedding[1]);
    model_.attention_width = static_cast<std::uint32_t>(key[0]);
    model_.ffn_width = static_cast<std::uint32_t>(ffn[0]);
    return {};
}

Result<void> Describer::find_heads() {
    if (model_.version == Version::v4_0) return {};
    std::string_view by = "blocks.0.att.time_decay";
    if (seven()) by = "blocks.0.att.r_k";
    if (model_.version == Version::v6_0) by = "blocks.0.att.time_faaaa";
    const bool per_head = model_.version == Version::v5_0 || model_.version == Version::v5_1;
    FF_TRY_ASSIGN(const auto shape, shape_of(by, per_head ? 1 : 2, per_head ? "[heads]" : "[heads, head size]"));
    model_.heads = static_cast<std::uint32_t>(shape[0]);
    if (model_.attention_width % model_.heads != 0 || (!per_head && shape[0] * shape[1] != model_.attention_width))
        return mismatch(*find(by), fmt::format("heads that make up its attention width of {}", model_.attention_width));
    model_.head_size = model_.attention_width / model_.heads;
    if (model_.head_size % 4 != 0 || model_.head_size > kHeadSizeLimit)
        return fail(
            Status::unsupported,
            fmt::format("tensor {} is {}, which makes heads of {}; heads of a multiple of 4 up to {} can be run", by,
                        shape_text(find(by)->shape), model_.head_size, kHeadSizeLimit));
    return {};
}

Result<void> Describer::find_ranks() {
    const auto rank = [&](std::string_view name, std::string_view needed) -> Result<std::uint32_t> {
        FF_TRY_ASSIGN(const auto shape, shape_of(name, 2, needed));
        return static_cast<std::uint32_t>(shape[1]);
    };
    if (model_.version == Version::v6_0) {
        FF_TRY_ASSIGN(model_.rank_w, rank("blocks.0.att.time_decay_w1", "[width, rank]"));
        FF_TRY_ASSIGN(const std::uint32_t five, rank("blocks.0.att.time_maa_w1", "[width, 5 ranks]"));
        if (five % 5 != 0) return mismatch(*find("blocks.0.att.time_maa_w1"), "a multiple of 5 columns");
        model_.rank_mix = five / 5;
    }
    if (seven()) {
        FF_TRY_ASSIGN(model_.rank_w, rank("blocks.0.att.w1", "[width, rank]"));
        FF_TRY_ASSIGN(model_.rank_a, rank("blocks.0.att.a1", "[width, rank]"));
        FF_TRY_ASSIGN(model_.rank_g, rank("blocks.0.att.g1", "[width, rank]"));
        if (model_.layers > 1) {
            FF_TRY_ASSIGN(model_.rank_v, rank("blocks.1.att.v1", "[width, rank]"));
        }
    }
    return {};
}

Result<void> Describer::check_all() const {
    std::vector<bool> known(source_.tensors().size(), false);
    for (const ExpectedTensor &expected : expected_tensors(model_)) {
        const auto found = index_.find(expected.name);
        if (found == index_.end()) {
            if (expected.optional) continue;
            return missing(expected.name);
        }
        known[found->second] = true;
        const TensorInfo &tensor = source_.tensors()[found->second];
        if (!expected.optional && !shape_matches(expected.shape, tensor.shape))
            return mismatch(tensor, shape_text(expected.shape));
    }
    for (std::size_t i = 0; i < known.size(); ++i) {
        if (known[i]) continue;
        const TensorInfo &tensor = source_.tensors()[i];
        return fail(
            Status::unsupported,
            fmt::format("tensor {} {} is unknown in an RWKV-{} model and would be ignored; is it a newer variant, or "
                        "was the file converted?",
                        printable(tensor.name), shape_text(tensor.shape), label_of(model_.version)));
    }
    return {};
}

} // namespace

std::string_view label_of(Version version) {
    switch (version) {
    case Version::v4_0:
        return "4.0";
    case Version::v5_0:
        return "5.0";
    case Version::v5_1:
        return "5.1";
    case Version::v5_2:
        return "5.2";
    case Version::v6_0:
        return "6.0";
    case Version::v7_0:
        return "7.0";
    case Version::v7a:
        return "7a";
    }
    return "?";
}

Result<ModelDescription> describe(const TensorSource &source) {
    return guarded(source.path(), "describing the model", [&] { return Describer(source).describe(); });
}

std::optional<std::size_t> find_tensor(const TensorSource &source, std::string_view name) {
    const auto tensors = source.tensors();
    for (std::size_t i = 0; i < tensors.size(); ++i)
        if (tensors[i].name == name) return i;
    return std::nullopt;
}

} // namespace ff::loader
