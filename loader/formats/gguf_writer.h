// Models as .gguf: RWKV-6 and -7 as llama.cpp wants them, the other versions under official names in architectures of
// our own (rwkv4, rwkv5, rwkv7a), which llama.cpp does not know. open_gguf reads all of them.
#pragma once

#include "loader/description.h"
#include "loader/formats/convert_rows.h"
#include "loader/quant/policy.h"
#include "loader/tokenizer/tokenizer.h"

namespace ff::loader {

struct GgufOptions {
    std::optional<DType> weights =
        {}; // quant/policy.h says what becomes of which tensor; nothing: all as they are stored
    std::vector<TypeRule> rules = {}; // exceptions to that
    std::string name = {};            // general.name; empty: the source's, or its file's name
    // The bytes of every token by id, for longest match (world, bytes); ids without text are empty, and there may be
    // fewer than the model has rows. Empty: those that the source brings along, or none: such a file runs, but programs
    // that read it need another way to tokenise.
    std::vector<std::string> token_texts = {};
    // Tokens of that vocabulary; the source's own come with what it brings. Without end_of_turn it is "\n\n" where 261
    // is that, as in the world models.
    std::optional<std::uint32_t> end_of_text = {}, end_of_turn = {};
    WriteProgress progress = {};
};

// What token_texts expects, from a tokenizer of longest matches.
Result<std::vector<std::string>> token_texts_of(const Tokenizer &tokenizer);

// What would be written, without writing. `model` must be describe(source).
Result<WriteReport> plan_gguf(const TensorSource &source, const ModelDescription &model, const GgufOptions &options);
// One tensor at a time passes through memory, large ones in pieces. For llama.cpp's sake, vectors and the few matrices
// that it takes only so become f32, which loses nothing.
// Fails with io, argument (a rule that fits no tensor, or wants what llama.cpp does not take), unsupported (a value
// does not fit its type), cancelled, or as read() does.
Result<WriteReport> write_gguf(const TensorSource &source, const ModelDescription &model, const GgufOptions &options,
                               const std::string &path);

} // namespace ff::loader
