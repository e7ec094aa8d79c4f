// The vocabulary that a model's file brings along: only GGUF files do.
#include "loader/description.h"
#include "loader/guard.h"
#include "loader/text.h"
#include "loader/tokenizer/longest_match.h"
#include "loader/tokenizer/packed_vocabulary.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>

namespace ff::loader {

namespace {

constexpr std::size_t kTextLimit = 1024;     // of a token; the longest published one has 128 bytes
constexpr std::size_t kTokenLimit = 1 << 20; // the published vocabulary has 65529

std::string_view metadata(const TensorSource &source, const std::string &key) {
    const auto found = source.metadata().find(key);
    return found == source.metadata().end() ? std::string_view() : found->second;
}

// Empty where the file has none that we can use.
Result<std::vector<std::string>> vocabulary_of(const TensorSource &source) {
    if (metadata(source, "tokenizer.ggml.model") != "rwkv") return std::vector<std::string>();
    return source.token_texts();
}

Result<std::optional<std::uint32_t>> token_named(const TensorSource &source, const char *key, std::size_t vocabulary) {
    const std::string_view text = metadata(source, key);
    if (text.empty()) return std::optional<std::uint32_t>();
    std::uint32_t id = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
    if (error != std::errc() || end != text.data() + text.size() || id >= vocabulary)
        return Error{Status::model_file, fmt::format("{}: the metadata {} is {}, expected a token below {}; name a "
                                                     "tokenizer instead of taking the file's",
                                                     printable(source.path()), key, printable(text), vocabulary)};
    return std::optional(id);
}

bool is_world(const TextTable &texts) {
    Result<TextTable> world = unpack_world("world", packed_world());
    if (!world.ok()) return false;
    world->pad_to(texts.size());
    return *world == texts;
}

Result<std::unique_ptr<Tokenizer>> make(const TensorSource &source) {
    const auto fail = [&](Status status, const std::string &what) {
        return Error{status, fmt::format("{}: {}", printable(source.path()), what)};
    };
    FF_TRY_ASSIGN(const std::vector<std::string> given, vocabulary_of(source));
    if (given.empty())
        return fail(Status::unsupported,
                    "the file brings no vocabulary of RWKV's kind (a GGUF file with tokenizer.ggml.model rwkv); name a "
                    "tokenizer, or use token ids");
    if (given.size() > kTokenLimit)
        return fail(Status::model_file, fmt::format("the vocabulary has {} tokens, expected at most {}; the file is "
                                                    "damaged",
                                                    given.size(), kTokenLimit));
    TextTable texts;
    for (std::size_t id = 0; id < given.size(); ++id) {
        if (given[id].size() > kTextLimit)
            return fail(Status::model_file, fmt::format("token {} of the vocabulary has {} bytes, expected at most {}; "
                                                        "the file is damaged",
                                                        id, given[id].size(), kTextLimit));
        texts.add(given[id]);
    }
    if (const auto table = find_tensor(source, "emb.weight")) {
        const auto &shape = source.tensors()[*table].shape;
        if (!shape.empty() && texts.size() > shape[0])
            return fail(Status::model_file, fmt::format("the vocabulary has {} tokens, the model has {} rows; name a "
                                                        "tokenizer instead of taking the file's",
                                                        texts.size(), shape[0]));
        if (!shape.empty() && shape[0] <= kTokenLimit) texts.pad_to(static_cast<std::size_t>(shape[0]));
    }
    SpecialTokens special;
    FF_TRY_ASSIGN(special.end_of_text, token_named(source, "tokenizer.ggml.eos_token_id", texts.size()));
    FF_TRY_ASSIGN(special.end_of_turn, token_named(source, "tokenizer.ggml.eot_token_id", texts.size()));
    if (!special.end_of_text && texts[0].empty()) special.end_of_text = 0; // as in the world vocabulary
    const std::string_view name = is_world(texts) ? "world" : "file";
    return make_longest_match(name, std::move(texts), special);
}

} // namespace

bool brings_vocabulary(const TensorSource &source) {
    const auto texts = guarded(source.path(), "reading the vocabulary", [&] { return vocabulary_of(source); });
    return texts.ok() && std::ranges::any_of(*texts, [](const std::string &text) { return !text.empty(); });
}

Result<std::unique_ptr<Tokenizer>> make_file_tokenizer(const TensorSource &source) {
    return guarded(source.path(), "reading the vocabulary", [&] { return make(source); });
}

} // namespace ff::loader
