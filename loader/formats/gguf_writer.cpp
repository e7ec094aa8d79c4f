#include "loader/formats/gguf_writer.h"

#include "loader/formats/gguf_file.h"
#include "loader/formats/gguf_layout.h"
#include "loader/formats/output_file.h"
#include "loader/formats/turn.h"
#include "loader/guard.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace ff::loader {

namespace {

constexpr std::uint64_t kAlignment = 32;

std::uint64_t aligned(std::uint64_t bytes) {
    return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// Header, metadata and tensor list, as bytes.
class Head {
  public:
    template <class T>
    void number(T value) { // the hosts that we build for are little-endian
        bytes_.append(reinterpret_cast<const char *>(&value), sizeof value);
    }
    void text(std::string_view value) {
        number<std::uint64_t>(value.size());
        bytes_ += value;
    }
    void entry(std::string_view key, GgufType type) {
        text(key);
        number(type);
        ++entries_;
    }
    void add(std::string_view key, std::string_view value) {
        entry(key, GgufType::text);
        text(value);
    }
    void add(std::string_view key, std::uint32_t value) {
        entry(key, GgufType::u32);
        number(value);
    }
    void add(std::string_view key, float value) {
        entry(key, GgufType::f32);
        number(value);
    }
    void begin_array(std::string_view key, GgufType type, std::uint64_t count) {
        entry(key, GgufType::array);
        number(type);
        number(count);
    }

    std::uint64_t entries() const { return entries_; }
    const std::string &bytes() const { return bytes_; }

  private:
    std::string bytes_;
    std::uint64_t entries_ = 0;
};

// What llama.cpp calls the type that most of a file has (enum llama_ftype); nothing for nf4.
std::optional<std::uint32_t> file_type_of(DType dtype) {
    switch (dtype) {
    case DType::f32:
        return 0;
    case DType::f16:
        return 1;
    case DType::bf16:
        return 32;
    case DType::q8_0:
        return 7;
    case DType::q4_0:
        return 2;
    case DType::q4_1:
        return 3;
    case DType::q5_0:
        return 8;
    case DType::q5_1:
        return 9;
    case DType::q4_k:
        return 14;
    case DType::q5_k:
        return 16;
    case DType::q6_k:
        return 18;
    case DType::nf4:
        break;
    }
    return std::nullopt;
}

// The inverse of what llama.cpp's RWKV tokenizer does to a token's text.
std::string escaped(std::string_view bytes) {
    std::string out;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\\')
            out += "\\\\";
        else if (c == '\t')
            out += "\\t";
        else if (c == '\n')
            out += "\\n";
        else if (c == '\r')
            out += "\\r";
        else if (byte < 0x20 || byte > 0x7E)
            out += fmt::format("\\x{:02x}", byte);
        else
            out += c;
    }
    return out;
}

class GgufWriter {
  public:
    GgufWriter(const TensorSource &source, const ModelDescription &model, const GgufOptions &options)
        : source_(source), model_(model), options_(options), architecture_(gguf_architecture(model.version)) {}

    Result<WriteReport> plan() {
        FF_TRY(check_rules(source_, options_.rules));
        FF_TRY_ASSIGN(parts_, gguf_layout(source_, model_, options_.weights, options_.rules));
        WriteReport report;
        for (const GgufPart &part : parts_) {
            for (const std::size_t index : part.parts)
                report.tensors.push_back({source_.tensors()[index].name, source_.tensors()[index].dtype,
                                          part.info.dtype, part.fallback, part.info.bytes() / part.parts.size()});
            report.bytes += aligned(part.info.bytes());
        }
        FF_TRY(make_head());
        report.bytes += aligned(head_.size());
        return report;
    }

    Result<WriteReport> write(const std::string &path) {
        FF_TRY_ASSIGN(WriteReport report, plan());
        FF_TRY_ASSIGN(OutputFile file, OutputFile::create(path));
        FF_TRY(file.write(std::as_bytes(std::span(head_))));
        FF_TRY(file.pad_to(kAlignment));
        const Sink sink = [&](std::span<const std::byte> piece) { return file.write(piece); };
        for (const GgufPart &part : parts_) {
            for (const std::size_t index : part.parts) {
                const TensorInfo &stored = source_.tensors()[index];
                if (options_.progress && !options_.progress(stored.name, file.position(), report.bytes))
                    return Error{Status::cancelled, fmt::format("{}: writing was stopped", printable(path))};
                FF_TRY_ASSIGN(const TensorBytes bytes, source_.read(index));
                DType from = stored.dtype;
                std::vector<std::byte> other_way;
                if (part.turned) {
                    other_way = turned(stored, bytes.bytes());
                    if (block_elements(from) != 1) from = DType::f32;
                }
                FF_TRY(convert_rows(source_.path(), stored.name, from,
                                    part.turned ? std::span<const std::byte>(other_way) : bytes.bytes(),
                                    part.info.dtype, sink));
            }
            FF_TRY(file.pad_to(kAlignment));
        }
        FF_TRY(file.commit());
        return report;
    }

  private:
    Result<void> make_head() {
        Head head;
        add_model(head);
        FF_TRY(add_tokenizer(head));
        Head begin;
        begin.number<std::uint32_t>(3); // the version
        begin.number<std::uint64_t>(parts_.size());
        begin.number(head.entries());
        Head list;
        std::uint64_t offset = 0;
        for (const GgufPart &part : parts_) {
            list.text(part.info.name);
            list.number(static_cast<std::uint32_t>(part.info.shape.size()));
            for (auto size = part.info.shape.rbegin(); size != part.info.shape.rend(); ++size) list.number(*size);
            list.number(gguf_type_of(part.info.dtype));
            list.number(offset);
            offset += aligned(part.info.bytes());
        }
        head_ = "GGUF" + begin.bytes() + head.bytes() + list.bytes();
        return {};
    }

    std::string name() const {
        if (!options_.name.empty()) return options_.name;
        const auto found = source_.metadata().find("general.name");
        if (found != source_.metadata().end()) return found->second;
        const std::string &path = source_.path();
        const std::size_t slash = path.rfind('/') + 1; // 0 where there is none
        const std::string file = path.substr(slash, path.rfind('.') > slash ? path.rfind('.') - slash : path.npos);
        return is_utf8(file) ? file : printable(file);
    }

    // What the matrices were to be, or the type that most bytes have.
    DType main_type() const {
        if (options_.weights) return *options_.weights;
        std::map<DType, std::uint64_t> bytes;
        for (const GgufPart &part : parts_) bytes[part.info.dtype] += part.info.bytes();
        return std::max_element(bytes.begin(), bytes.end(),
                                [](const auto &a, const auto &b) { return a.second < b.second; })
            ->first;
    }

    void add_model(Head &head) const {
        const auto key = [&](std::string_view rest) { return fmt::format("{}.{}", architecture_, rest); };
        head.add("general.architecture", architecture_);
        head.add("general.type", std::string_view("model"));
        head.add("general.name", name());
        if (const auto type = file_type_of(main_type())) head.add("general.file_type", *type);
        head.add("general.quantization_version", std::uint32_t{2});
        head.add("general.alignment", static_cast<std::uint32_t>(kAlignment));
        head.add(key("context_length"), std::uint32_t{1} << 20); // as llama.cpp's converter says for want of a limit
        head.add(key("embedding_length"), model_.width);
        head.add(key("block_count"), model_.layers);
        head.add(key("feed_forward_length"), model_.ffn_width);
        head.add(key("vocab_size"), model_.vocabulary);
        head.add(key("attention.head_count"), std::uint32_t{0}); // demanded and not used
        head.add(key("attention.layer_norm_epsilon"), 1e-5f);
        if (model_.head_size != 0) head.add(key("wkv.head_size"), model_.head_size);
        if (architecture_ == "rwkv6") {
            head.add(key("rescale_every_n_layers"), std::uint32_t{0});
            head.add(key("time_mix_extra_dim"), model_.rank_mix);
            head.add(key("time_decay_extra_dim"), model_.rank_w);
        }
        if (architecture_ == "rwkv7") {
            head.add(key("attention.decay_lora_rank"), model_.rank_w);
            head.add(key("attention.iclr_lora_rank"), model_.rank_a);
            head.add(key("attention.value_residual_mix_lora_rank"), model_.rank_v);
            head.add(key("attention.gate_lora_rank"), model_.rank_g);
        }
    }

    Result<void> add_tokenizer(Head &head) const {
        std::vector<std::string> texts = options_.token_texts;
        const bool brought = texts.empty() && source_text("tokenizer.ggml.model") == "rwkv";
        if (brought) {
            FF_TRY_ASSIGN(texts, source_.token_texts());
        }
        if (texts.empty()) {
            head.add("tokenizer.ggml.model", std::string_view("no_vocab"));
            return {};
        }
        while (texts.size() > model_.vocabulary && texts.back().empty()) texts.pop_back(); // Pile models of 50304 rows
        if (texts.size() > model_.vocabulary)
            return Error{Status::argument,
                         fmt::format("{}: the vocabulary has {} tokens, the model has {} rows; is it the model's own?",
                                     printable(source_.path()), texts.size(), model_.vocabulary)};
        constexpr std::int32_t kNormal = 1, kControl = 3, kUnused = 5;
        constexpr std::size_t kParagraph = 261; // "\n\n", where the world models end a turn
        const bool paragraph = texts.size() > kParagraph && texts[kParagraph] == "\n\n";
        texts.resize(model_.vocabulary);
        head.add("tokenizer.ggml.model", std::string_view("rwkv"));
        head.begin_array("tokenizer.ggml.tokens", GgufType::text, texts.size());
        for (std::size_t id = 0; id < texts.size(); ++id)
            head.text(!texts[id].empty() ? escaped(texts[id]) : id == 0 ? "<s>" : fmt::format("[PAD{}]", id));
        head.begin_array("tokenizer.ggml.token_type", GgufType::i32, texts.size());
        for (std::size_t id = 0; id < texts.size(); ++id)
            head.number(!texts[id].empty() ? kNormal : id == 0 ? kControl : kUnused);
        auto end_of_text = options_.end_of_text, end_of_turn = options_.end_of_turn;
        if (brought && !end_of_text) end_of_text = source_token("tokenizer.ggml.eos_token_id");
        if (brought && !end_of_turn) end_of_turn = source_token("tokenizer.ggml.eot_token_id");
        if (paragraph && !end_of_turn) end_of_turn = static_cast<std::uint32_t>(kParagraph);
        if (end_of_text) head.add("tokenizer.ggml.eos_token_id", *end_of_text);
        if (end_of_turn) head.add("tokenizer.ggml.eot_token_id", *end_of_turn);
        const std::string_view chat = source_text("tokenizer.chat_template");
        head.add("tokenizer.chat_template", chat.empty() ? std::string_view("rwkv-world") : chat);
        return {};
    }

    // Of the source's metadata; empty if there is none.
    std::string_view source_text(const std::string &key) const {
        const auto found = source_.metadata().find(key);
        return found == source_.metadata().end() ? std::string_view() : found->second;
    }
    std::optional<std::uint32_t> source_token(const std::string &key) const {
        const std::string_view text = source_text(key);
        std::uint32_t id = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
        if (error != std::errc() || end != text.data() + text.size() || id >= model_.vocabulary) return std::nullopt;
        return id;
    }

    const TensorSource &source_;
    const ModelDescription &model_;
    const GgufOptions &options_;
    std::string_view architecture_;
    std::vector<GgufPart> parts_;
    std::string head_;
};

} // namespace

Result<std::vector<std::string>> token_texts_of(const Tokenizer &tokenizer) {
    return guarded(tokenizer.name(), "listing the vocabulary", [&]() -> Result<std::vector<std::string>> {
        std::vector<std::string> texts;
        for (std::uint32_t id = 0; id < tokenizer.vocabulary(); ++id) {
            FF_TRY_ASSIGN(std::string text, tokenizer.decode(id));
            texts.push_back(std::move(text));
        }
        return texts;
    });
}

Result<WriteReport> plan_gguf(const TensorSource &source, const ModelDescription &model, const GgufOptions &options) {
    return guarded(source.path(), "planning a GGUF file", [&] { return GgufWriter(source, model, options).plan(); });
}

Result<WriteReport> write_gguf(const TensorSource &source, const ModelDescription &model, const GgufOptions &options,
                               const std::string &path) {
    return guarded(path, "writing a GGUF file", [&] { return GgufWriter(source, model, options).write(path); });
}

} // namespace ff::loader
