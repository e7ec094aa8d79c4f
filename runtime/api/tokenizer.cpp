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
    if (kind == "file") {
        if (!checkpoint) return Error{Status::argument, "tokenizer file: a checkpoint is needed that brings one"};
        return loader::make_file_tokenizer(*checkpoint->source);
    }
    if (kind == "world") return loader::make_world_tokenizer();
    if (kind == "20b") return loader::make_20b_tokenizer();
    return loader::make_tokenizer_from(kind);
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

int ff_tokenizer_special(const ff_tokenizer *tokenizer, ff_token_role role, uint32_t *id) {
    if (!tokenizer || !id || (role != FF_TOKEN_END_OF_TEXT && role != FF_TOKEN_END_OF_TURN)) return 0;
    const auto found = tokenizer->tokenizer->special(role == FF_TOKEN_END_OF_TEXT ? loader::TokenRole::end_of_text
                                                                                  : loader::TokenRole::end_of_turn);
    if (found) *id = *found;
    return found ? 1 : 0;
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
