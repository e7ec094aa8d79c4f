#include "runtime/api/objects.h"

#include <fmt/format.h>

using namespace ff;

namespace {

Result<std::unique_ptr<loader::Tokenizer>> make(const std::string &kind, const ff_checkpoint *checkpoint) {
    if (kind == "bytes") return loader::make_byte_tokenizer();
    if (kind == "auto") {
        if (!checkpoint) return Error{Status::argument, "tokenizer auto: a checkpoint is needed to decide by"};
        if (!checkpoint->description.ok()) return checkpoint->description.error();
        if (checkpoint->tokenizer.empty())
            return Error{Status::unsupported,
                         fmt::format("{}: no tokenizer is known for a vocabulary of {}; name one, or use token ids",
                                     checkpoint->source->path(), checkpoint->description->vocabulary)};
        return make(checkpoint->tokenizer, checkpoint);
    }
    if (kind == "world" || kind == "20b")
        return Error{Status::unsupported,
                     fmt::format("the {} tokenizer's vocabulary is not part of this build: pass the path of {} instead",
                                 kind, kind == "world" ? "rwkv_vocab_v20230424.txt" : "20B_tokenizer.json")};
    return kind.ends_with(".json") ? loader::make_20b_tokenizer(kind) : loader::make_world_tokenizer(kind);
}

} // namespace

ff_status ff_tokenizer_create(ff_tokenizer **out, const char *kind, const ff_checkpoint *checkpoint, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!out || !kind) return api::null_argument(out ? "kind" : "out");
        FF_TRY_ASSIGN(std::unique_ptr<loader::Tokenizer> tokenizer, make(kind, checkpoint));
        std::string name(tokenizer->name());
        *out = new ff_tokenizer{std::move(tokenizer), std::move(name)};
        return {};
    });
}

void ff_tokenizer_destroy(ff_tokenizer *tokenizer) {
    delete tokenizer;
}
const char *ff_tokenizer_name(const ff_tokenizer *tokenizer) {
    return tokenizer ? tokenizer->name.c_str() : "";
}
uint32_t ff_tokenizer_vocabulary(const ff_tokenizer *tokenizer) {
    return tokenizer ? tokenizer->tokenizer->vocabulary() : 0;
}

ff_status ff_tokenizer_encode(const ff_tokenizer *tokenizer, const char *text, size_t size, uint32_t *ids,
                              size_t capacity, size_t *count, ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!tokenizer || !count || (!text && size))
            return api::null_argument(!tokenizer ? "tokenizer" : !count ? "count" : "text");
        FF_TRY_ASSIGN(const std::vector<std::uint32_t> encoded, tokenizer->tokenizer->encode({text, size}));
        if (ids) std::copy_n(encoded.begin(), std::min(capacity, encoded.size()), ids);
        *count = encoded.size();
        return {};
    });
}

ff_status ff_tokenizer_decode(const ff_tokenizer *tokenizer, uint32_t id, char *text, size_t capacity, size_t *size,
                              ff_error *error) {
    return api::guard(error, [&]() -> Result<void> {
        if (!tokenizer || !size) return api::null_argument(tokenizer ? "size" : "tokenizer");
        FF_TRY_ASSIGN(const std::string decoded, tokenizer->tokenizer->decode(id));
        if (text) std::copy_n(decoded.begin(), std::min(capacity, decoded.size()), text);
        *size = decoded.size();
        return {};
    });
}
