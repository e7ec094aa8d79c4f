#include "loader/formats/gguf.h"

#include "loader/formats/gguf_file.h"
#include "loader/formats/gguf_names.h"
#include "loader/formats/turn.h"
#include "loader/guard.h"
#include "loader/quant/formats.h"
#include "loader/text.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <unordered_set>

namespace ff::loader {

namespace {

struct Place {
    std::size_t tensor;               // of the file
    std::span<const std::byte> bytes; // all of it, or one of those it was fused from
    bool turned = false;
    int exponent = 0; // the values are to be multiplied by 2^exponent
};

struct LayerName {
    std::uint64_t layer;
    std::string_view stem, suffix; // "time_mix_key", ".weight"
};

// "blk.3.time_mix_key.weight"; nothing for other names.
std::optional<LayerName> layer_name(std::string_view name) {
    constexpr std::string_view kBlock = "blk.";
    if (!name.starts_with(kBlock)) return std::nullopt;
    LayerName found;
    const char *const begin = name.data() + kBlock.size(), *const all = name.data() + name.size();
    const auto [end, error] = std::from_chars(begin, all, found.layer);
    if (error != std::errc() || end == all || *end != '.' || (*begin == '0' && end != begin + 1)) return std::nullopt;
    const std::string_view rest = name.substr(static_cast<std::size_t>(end - name.data()) + 1);
    const std::size_t dot = rest.rfind('.');
    if (dot == rest.npos) return std::nullopt;
    found.stem = rest.substr(0, dot);
    found.suffix = rest.substr(dot);
    return found;
}

class GgufSource final : public TensorSource {
  public:
    GgufSource(std::string path, GgufFile file) : path_(std::move(path)), file_(std::move(file)) {}

    Result<void> load() {
        const auto architecture = file_.text("general.architecture");
        if (!architecture) return fail("the metadata general.architecture is missing; is it a model file?");
        architecture_ = *architecture;
        const bool verbatim = architecture_ == "rwkv4" || architecture_ == "rwkv5" || architecture_ == "rwkv7a";
        if (!verbatim && architecture_ != "rwkv6" && architecture_ != "rwkv7")
            return fail(
                fmt::format("this is a GGUF file of architecture {}; RWKV models are read: rwkv4, rwkv5, rwkv6, "
                            "rwkv7, rwkv7a",
                            printable(architecture_)),
                Status::unsupported);
        head_size_ = file_.number(architecture_ + ".wkv.head_size").value_or(0);
        if (architecture_ == "rwkv6") rescale_every_ = file_.number("rwkv6.rescale_every_n_layers").value_or(0);
        for (std::size_t i = 0; i < file_.tensors().size(); ++i) {
            if (verbatim) {
                FF_TRY(add(file_.tensors()[i].info, {i, file_.tensors()[i].bytes}));
            } else {
                FF_TRY(take(i));
            }
        }
        metadata_ = file_.scalars();
        return {};
    }

    const std::string &path() const override { return path_; }
    std::string_view container() const override { return "gguf"; }
    std::span<const TensorInfo> tensors() const override { return tensors_; }
    const std::map<std::string, std::string> &metadata() const override { return metadata_; }

    Result<TensorBytes> read(std::size_t index) const override {
        if (index >= tensors_.size())
            return fail(fmt::format("tensor {} was asked for, there are {}", index, tensors_.size()), Status::argument);
        const Place &place = places_[index];
        if (!place.turned && place.exponent == 0) return TensorBytes(place.bytes);
        return guarded(path_, "copying a tensor", [&]() -> Result<TensorBytes> {
            const TensorInfo &stored = file_.tensors()[place.tensor].info;
            if (place.turned) return TensorBytes(turned(stored, place.bytes));
            std::vector<std::byte> scaled(place.bytes.begin(), place.bytes.end());
            if (!scale_by_power_of_two(stored.dtype, scaled, place.exponent))
                return fail(fmt::format("tensor {} was divided by 2^{} when it was converted, and as {} it cannot be "
                                        "multiplied back; convert the model again with rescale_every 0",
                                        printable(stored.name), place.exponent, name_of(stored.dtype)));
            return TensorBytes(std::move(scaled));
        });
    }

    Result<std::vector<std::string>> token_texts() const override;

  private:
    Error fail(const std::string &what, Status status = Status::model_file) const {
        return Error{status, fmt::format("{}: {}", printable(path_), what)};
    }

    Result<void> add(TensorInfo info, Place place) {
        if (!names_.insert(info.name).second)
            return fail(fmt::format("tensor {} becomes {}, which another one is already; the file is damaged",
                                    printable(file_.tensors()[place.tensor].info.name), printable(info.name)));
        tensors_.push_back(std::move(info));
        places_.push_back(place);
        return {};
    }

    Result<void> take(std::size_t index) {
        const TensorInfo &stored = file_.tensors()[index].info;
        const Place whole{index, file_.tensors()[index].bytes};
        TensorInfo info = stored;
        const auto layer = layer_name(stored.name);
        if (!layer) {
            const std::size_t dot = std::min(stored.name.rfind('.'), stored.name.size());
            const std::string_view stem = std::string_view(stored.name).substr(0, dot);
            for (const GgufName &name : gguf_model_names())
                if (name.file == stem) info.name = std::string(name.official) + stored.name.substr(dot);
            return add(std::move(info), whole); // an unknown name is for describe() to refuse
        }
        if (layer->stem == kGgufFusedName && layer->suffix == ".weight") return take_fused(index, layer->layer);
        for (const GgufName &name : gguf_layer_names(architecture_)) {
            const bool named = name.form == GgufForm::norm || name.form == GgufForm::matrix;
            if (name.file != layer->stem || (!named && layer->suffix != ".weight")) continue;
            const bool dummy = architecture_ == "rwkv7" && layer->layer == 0 &&
                               (name.official == "att.v0" || name.official == "att.v1" || name.official == "att.v2");
            if (dummy) return {};
            info.name = fmt::format("blocks.{}.{}{}", layer->layer, name.official, named ? layer->suffix : "");
            Place place = whole;
            restore_shape(info, place, name.form);
            if (rescale_every_ != 0 && gguf_rescaled(name.official) && layer->suffix == ".weight")
                place.exponent = static_cast<int>(std::min<std::uint64_t>(layer->layer / rescale_every_, 1024));
            return add(std::move(info), place);
        }
        return add(std::move(info), whole);
    }

    void restore_shape(TensorInfo &info, Place &place, GgufForm form) const {
        const std::uint64_t elements = info.elements();
        switch (form) {
        case GgufForm::norm:
        case GgufForm::matrix:
            return;
        case GgufForm::vector:
            if (info.shape.back() == elements) info.shape = {1, 1, elements};
            return;
        case GgufForm::heads:
            if (head_size_ != 0 && elements % head_size_ == 0 && head_size_ % block_elements(info.dtype) == 0)
                info.shape = {elements / head_size_, head_size_};
            return;
        case GgufForm::turned:
            if (info.shape.size() == 1) info.shape.insert(info.shape.begin(), 1); // ggml drops leading axes of 1
            std::swap(info.shape.back(), info.shape[info.shape.size() - 2]);
            if (block_elements(info.dtype) != 1) info.dtype = DType::f32;
            place.turned = true;
            return;
        }
    }

    Result<void> take_fused(std::size_t index, std::uint64_t layer) {
        const GgufTensor &stored = file_.tensors()[index];
        const GgufFused fused = gguf_fused(architecture_);
        const std::uint64_t count = fused.letters.size(), width = stored.info.shape.back();
        if (stored.info.shape[0] != count || stored.info.elements() != count * width || stored.info.shape.size() < 2)
            return fail(fmt::format("tensor {} is {}, expected [{}, 1, 1, width]; the file is damaged or of another "
                                    "variant",
                                    printable(stored.info.name), shape_text(stored.info.shape), count));
        const std::size_t row = stored.bytes.size() / fused.letters.size();
        for (std::size_t i = 0; i < fused.letters.size(); ++i)
            FF_TRY(add({fmt::format("blocks.{}.{}{}", layer, fused.prefix, fused.letters[i]),
                        stored.info.dtype,
                        {1, 1, width}},
                       {index, stored.bytes.subspan(i * row, row)}));
        return {};
    }

    std::string path_, architecture_;
    GgufFile file_;
    std::uint64_t head_size_ = 0, rescale_every_ = 0;
    std::vector<TensorInfo> tensors_;
    std::vector<Place> places_;
    std::unordered_set<std::string> names_;
    std::map<std::string, std::string> metadata_;
};

// llama.cpp's RWKV tokenizer keeps bytes as text: \t, \n, \r, \xNN; any other character after \ stands for itself.
std::string unescape(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\' || i + 1 == text.size()) {
            out += text[i];
            continue;
        }
        const char escape = text[++i];
        unsigned value = 0;
        const char *const digits = text.data() + i + 1;
        if (escape == 'x' && i + 2 < text.size() && std::from_chars(digits, digits + 2, value, 16).ptr == digits + 2) {
            out += static_cast<char>(value);
            i += 2;
        } else {
            out += escape == 't' ? '\t' : escape == 'n' ? '\n' : escape == 'r' ? '\r' : escape;
        }
    }
    return out;
}

Result<std::vector<std::string>> GgufSource::token_texts() const {
    return guarded(path_, "reading the vocabulary", [&]() -> Result<std::vector<std::string>> {
        std::vector<std::string> texts;
        const bool rwkv = file_.text("tokenizer.ggml.model") == "rwkv";
        for (const std::string_view text : file_.texts("tokenizer.ggml.tokens"))
            texts.push_back(rwkv ? unescape(text) : std::string(text));
        const GgufEntry *kinds = file_.find("tokenizer.ggml.token_type");
        constexpr std::int32_t kControl = 3, kUnused = 5;
        if (kinds != nullptr && kinds->array && kinds->type == GgufType::i32 && kinds->count == texts.size())
            for (std::size_t i = 0; i < texts.size(); ++i) {
                std::int32_t kind;
                std::memcpy(&kind, kinds->bytes.data() + 4 * i, sizeof kind);
                if (kind == kControl || kind == kUnused) texts[i].clear();
            }
        return texts;
    });
}

} // namespace

Result<std::unique_ptr<TensorSource>> open_gguf(std::string path, std::span<const std::byte> bytes) {
    FF_TRY_ASSIGN(GgufFile file, GgufFile::parse(path, bytes));
    auto source = std::make_unique<GgufSource>(std::move(path), std::move(file));
    FF_TRY(source->load());
    return source;
}

} // namespace ff::loader
